/** Which TLC a jar holds. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runGuarded } from './guarded-process.js';

/** `version`: such as `2.18`; `date`: such as `20 March 2023`, null where it says none. */
export type TlcVersion =
  | { readonly kind: 'found'; readonly version: string; readonly date: string | null }
  | { readonly kind: 'unknown'; readonly message: string };

const PROBE_MS = 30_000;

/** Asks the jar for its help, which names the version. `java`, `jar`: absolute paths. Never rejects but for want of a temporary folder. */
export async function probeTlcVersion(java: string, jar: string, signal?: AbortSignal): Promise<TlcVersion> {
  const folder = mkdtempSync(join(tmpdir(), 'prism-tlc-'));
  try {
    let output = '';
    const { end, complaint } = await runGuarded({
      command: [java, '-XX:-UsePerfData', `-Duser.home=${folder}`, '-cp', jar, 'tlc2.TLC', '-h'],
      folder,
      environment: process.env,
      scratch: folder,
      timeoutMs: PROBE_MS,
      signal,
      onOutput: (text) => {
        output += text;
      },
    });
    const found = parseTlcVersion(output);
    if (found) return { kind: 'found', ...found };
    const said = (complaint || output).trim().split('\n')[0] ?? '';
    const how = end.kind === 'exited' ? `exit code ${end.code}` : end.kind;
    return { kind: 'unknown', message: `${jar} does not tell its version (${how}${said && `: ${said}`})` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** From TLC's help or its first message: `Version 2.18 of 20 March 2023`, perhaps with a revision in brackets. */
export function parseTlcVersion(text: string): { version: string; date: string | null } | undefined {
  const [, version, date] = /\bVersion (\d+(?:\.\d+)+)(?: of (\w[\w ]*\w))?/.exec(text) ?? [];
  return version === undefined ? undefined : { version, date: date ?? null };
}
