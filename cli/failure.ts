/** An end of a command that the user is told in one line, with the exit code that it deserves. */

/** 2: unusable arguments or input. 3: demanded but inconclusive. 4: the environment or the harness failed. */
export class Failure extends Error {
  override name = 'Failure';
  readonly exitCode: 2 | 3 | 4;

  /** `message` is one line that says what to do; it is printed as `prism: MESSAGE`. */
  constructor(exitCode: 2 | 3 | 4, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The code of a system call's error (`ENOENT`, `EACCES`, ...), if it is one. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is not a folder',
  EEXIST: 'it exists already',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
};

/** Why a file operation failed, in words. */
export function fileReason(error: unknown): string {
  const code = systemCode(error);
  if (code !== undefined) return REASONS[code] ?? code;
  return error instanceof Error ? error.message : String(error);
}
