/** `prism replay TOKEN`: reruns exactly one failing run. */
import type { Command } from 'commander';
import { readToken } from '../../harness/replay/token.js';
import { Failure } from '../failure.js';
import { withInterrupt } from '../interrupt.js';
import { addOutputOptions, Output, type OutputOptions, prepareOut } from '../output.js';
import { REPLAY_KINDS } from '../replay-kinds.js';

async function replay(token: string, options: OutputOptions): Promise<number> {
  const output = new Output(options, (word) => readToken(word).ok);
  const read = readToken(token);
  if (!read.ok) throw new Failure(2, `not a replay token: ${read.error}`);
  const kind = REPLAY_KINDS.get(read.parts.kind);
  if (kind === undefined)
    throw new Failure(
      2,
      `this version replays no ${read.parts.kind} tokens; it knows ${[...REPLAY_KINDS.keys()].join(', ')}`,
    );
  const folder = options.out === undefined ? undefined : prepareOut(options.out);
  return withInterrupt((signal) => kind(token, read.parts, { output, folder, signal }));
}

export function registerReplay(program: Command): void {
  const command = program
    .command('replay')
    .summary('rerun exactly one failing run')
    .description(
      'Reruns the run that a token names: same seed, same schedule, same faults. Exit 1 when it fails again, 0 when it passes now.',
    )
    .argument('<TOKEN>', 'as printed by the command that saw the run fail');
  addOutputOptions(command, {
    out: 'write capture, control log, trace and ladder of the failure into this folder',
    seed: 'accepted as everywhere; the token has its own',
  }).addHelpText(
    'after',
    `
Examples:
  prism simulate --without backend-guard    prints a token
  prism replay TOKEN --out failure          its ladder, and its capture for Wireshark`,
  );
  command.action(async (token: string, options: OutputOptions) => {
    process.exitCode = await replay(token, options);
  });
}
