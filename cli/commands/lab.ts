/** `prism lab`: a live topology in Linux namespaces, to play with by hand. */
import { spawn } from 'node:child_process';
import { relative } from 'node:path';
import type { Command } from 'commander';
import { findLab, labCommand, startLab, stopLab } from '../../harness/linux/lab.js';
import type { LabState } from '../../harness/linux/lab-main.js';
import { didYouMean } from '../../harness/nearest.js';
import { OBJECT_SIZES } from '../../harness/objects.js';
import { defaultPolicy } from '../../harness/topology.js';
import { isRemedyName, REMEDY_NAMES, type RemedyName } from '../../reference-impl/core/remedies.js';
import { Failure, systemCode } from '../failure.js';
import { addOutputOptions, Output, type OutputOptions, prepareOut } from '../output.js';

interface UpOptions extends OutputOptions {
  readonly without?: readonly string[];
}

const OUT = 'prism-lab';

function remedies(words: readonly string[]): RemedyName[] {
  return words
    .flatMap((word) => word.split(','))
    .map((word) => {
      if (isRemedyName(word)) return word;
      throw new Failure(2, `no remedy is called '${word}'${didYouMean(word, REMEDY_NAMES)}; see prism list remedies`);
    });
}

function present(): LabState {
  const lab = findLab();
  if (!lab) throw new Failure(2, 'no lab is up; start one with: prism lab up');
  if (lab.phase === 'starting') throw new Failure(2, 'the lab is still starting; try again in a moment');
  return lab;
}

/** What can be done with a lab that is up. */
function instructions(lab: LabState): string[] {
  const plain = labCommand(lab, ['curl', '-v', `${lab.origin}/b/64k`, '-o', '/dev/null']).join(' ');
  return [
    'Run any command as the client:',
    `  prism lab exec -- curl -v ${lab.origin}/a/8k -o /dev/null`,
    `  prism lab exec -- curl -T FILE ${lab.origin}/a/mine`,
    `  ${plain}`,
    `Objects: /a/NAME on backend0, /b/NAME on backend1; NAME is one of ${Object.keys(OBJECT_SIZES).join(', ')}, or what you PUT.`,
    'End it, and keep its captures: prism lab down --out DIR',
  ];
}

async function up(options: UpOptions): Promise<void> {
  const output = new Output(options);
  const without = remedies(options.without ?? []);
  if (findLab()) throw new Failure(2, 'a lab is up already; see prism lab status, end it with prism lab down');
  output.progress('starting the lab');
  const lab = await startLab({ seed: options.seed ?? 1, without, policy: defaultPolicy, faults: [] }).catch(
    (error: unknown) => {
      if (systemCode(error) === 'EEXIST') throw new Failure(2, 'another prism lab up is under way');
      throw error;
    },
  );
  output.endProgress();
  output.line(
    `The lab is up (process ${lab.pid}): client, switch, controller, backend0 and backend1, the service at ${lab.origin}.`,
  );
  for (const line of instructions(lab)) output.line(line);
  output.document({ ...lab, up: true });
}

async function down(options: OutputOptions): Promise<void> {
  const output = new Output(options);
  present();
  const out = prepareOut(options.out ?? OUT);
  const { files, captureDrops } = await stopLab(out);
  const here = (path: string): string => {
    const short = relative(process.cwd(), path);
    return short.startsWith('..') ? path : short;
  };
  output.line('The lab is down. It wrote:');
  for (const file of files) output.line(`  ${here(file)}`);
  if (captureDrops > 0) output.problem(`The capture missed ${captureDrops} frames.`);
  const [capture = ''] = files;
  output.line(`Judge it: prism check ${here(capture)} --topology ${here(files.at(-1) ?? '')}`);
  output.document({ schema: 'prism-lab/1', up: false, files, captureDrops });
}

function status(options: OutputOptions): void {
  const output = new Output(options);
  const lab = findLab();
  output.document(lab ? { ...lab, up: lab.phase === 'up' } : { schema: 'prism-lab/1', up: false });
  if (!lab) output.line('No lab is up; start one with: prism lab up');
  else if (lab.phase === 'starting') output.line(`A lab is starting (process ${lab.pid}).`);
  else {
    output.line(`A lab is up since ${lab.startedAt} (process ${lab.pid}).`);
    for (const line of instructions(lab)) output.line(line);
  }
}

/** Runs the command as the client, with our terminal; answers its exit code, as a shell would. */
async function execute(command: readonly string[]): Promise<number> {
  const [program = '', ...args] = labCommand(present(), command);
  const child = spawn(program, args, { stdio: 'inherit' });
  // Ctrl-C is the command's to handle; it gets it from the terminal as we do.
  const ignore = (): void => {};
  const pass = (signal: NodeJS.Signals): void => {
    child.kill(signal);
  };
  process.on('SIGINT', ignore).on('SIGTERM', pass);
  try {
    return await new Promise<number>((finish, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => finish(code ?? (signal === 'SIGINT' ? 130 : 143)));
    });
  } finally {
    process.off('SIGINT', ignore).off('SIGTERM', pass);
  }
}

export function registerLab(program: Command): void {
  const lab = program
    .command('lab')
    .description('A live topology in Linux namespaces to play with: any command can be run as a client of it.')
    .enablePositionalOptions();
  const texts = {
    out: `folder for the captures (default: ${OUT})`,
    seed: 'seeds sequence numbers and the like (default: 1)',
  };
  addOutputOptions(
    lab
      .command('up')
      .description('Starts the lab and prints how to run a command as its client; it stays up until prism lab down.')
      .option(
        '--without <REMEDY...>',
        'switch remedies of the reference off, to see what breaks (prism list remedies)',
      ),
    { ...texts, out: 'no use here: prism lab down writes the captures' },
  ).action((options: UpOptions) => up(options));
  addOutputOptions(
    lab.command('down').description('Ends the lab and writes its captures, control log, trace and topology.'),
    texts,
  ).action((options: OutputOptions) => down(options));
  addOutputOptions(lab.command('status').description('Says whether a lab is up and how to use it.'), texts).action(
    (options: OutputOptions) => status(options),
  );
  lab
    .command('exec')
    .description("Runs a command as the lab's client; its exit code is the command's.")
    .argument('<COMMAND...>', 'the command and its arguments')
    .passThroughOptions()
    .action(async (command: string[]) => {
      process.exitCode = await execute(command);
    });
}
