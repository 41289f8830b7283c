/** The command `prism`: builds the program, runs one command, turns every kind of end into an exit code. */
import { Command, CommanderError } from 'commander';
import { didYouMean } from '../harness/nearest.js';
import { WorldError } from '../harness/world.js';
import { registerBench } from './commands/bench.js';
import { registerCheck } from './commands/check.js';
import { registerExplain } from './commands/explain.js';
import { registerInit } from './commands/init.js';
import { registerLab } from './commands/lab.js';
import { registerList } from './commands/list.js';
import { registerMutants } from './commands/mutants.js';
import { registerRefine } from './commands/refine.js';
import { registerReplay } from './commands/replay.js';
import { registerReport } from './commands/report.js';
import { registerRole } from './commands/role.js';
import { registerSimulate } from './commands/simulate.js';
import { registerSpec } from './commands/spec.js';
import { registerTest } from './commands/test.js';
import { registerTrace } from './commands/trace.js';
import { registerVerify } from './commands/verify.js';
import { Failure, systemCode } from './failure.js';
import { Interrupted } from './interrupt.js';
import { VERSION } from './version.js';

function buildProgram(): Command {
  const program = new Command('prism')
    .description(
      'Conformance of Prism implementations: TCP connections handed from a controller to backends by a rewriting switch.',
    )
    .version(VERSION)
    .helpCommand(false)
    .showSuggestionAfterError(false)
    .configureOutput({ outputError: () => undefined })
    .exitOverride()
    .addHelpText(
      'after',
      `
Exit codes: 0 all that was demanded passed; 1 a clause was violated; 2 unusable arguments or input;
3 inconclusive where that is not enough (--strict); 4 the environment or the harness failed;
130 or 143 interrupted (Ctrl-C, SIGTERM): what had finished is reported, the rest as not run.

Start with: prism verify`,
    );
  for (const register of [
    registerVerify,
    registerTest,
    registerCheck,
    registerReport,
    registerList,
    registerExplain,
    registerLab,
    registerMutants,
    registerSpec,
    registerRefine,
    registerBench,
    registerSimulate,
    registerReplay,
    registerTrace,
    registerRole,
    registerInit,
  ])
    register(program);
  return program;
}

/** Commander's complaint as one line of ours; `argv` tells what a near miss was meant to be. */
function complaint(error: CommanderError, program: Command, argv: readonly string[]): string {
  const text = error.message
    .replace(/^error: /, '')
    .trim()
    .replace(/\s*\n\s*/g, ' ');
  if (error.code === 'commander.unknownCommand') {
    const word = /'([^']*)'/.exec(text)?.[1] ?? '';
    const group = program.commands.find((c) => c.name() === argv[0] && c.commands.length > 0);
    const names = (group ?? program).commands.map((c) => c.name());
    const which = group ? `${group.name()} command` : 'command';
    return `there is no ${which} '${word}'${didYouMean(word, names)}; there are: ${names.join(', ')}`;
  }
  const command = program.commands.find((c) => argv.includes(c.name()));
  const help = command ? `prism ${command.name()} --help` : 'prism --help';
  if (error.code === 'commander.unknownOption') {
    const flag = /'([^']+)'/.exec(text)?.[1] ?? '';
    const flags = (command ?? program).options.map((option) => option.long ?? '').filter((long) => long !== '');
    return `${text}${didYouMean(flag, flags)}; see ${help}`;
  }
  return `${text}; see ${help}`;
}

/** The line and the exit code of an error that ended a command. */
function ending(error: unknown): { line: string; code: number } {
  if (error instanceof Failure) return { line: error.message, code: error.exitCode };
  if (error instanceof Interrupted) return { line: error.message, code: error.exitCode };
  const text = error instanceof Error ? error.message : String(error);
  const first = text.trim().split('\n')[0] ?? '';
  if (error instanceof WorldError) return { line: first, code: 4 };
  const code = systemCode(error);
  return { line: code === undefined ? `internal error: ${first} (PRISM_DEBUG=1 shows where)` : first, code: 4 };
}

/** Prints the error's one line; answers its exit code. */
function report(error: unknown): number {
  const { line, code } = ending(error);
  process.stderr.write(`prism: ${line}\n`);
  if (process.env.PRISM_DEBUG === '1' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return code;
}

let guarded = false;

/** What has to be caught outside of any command, once a process. */
function guardProcess(): void {
  if (guarded) return;
  guarded = true;
  // A reader that has seen enough (`| head`) is no error; the exit code still says what was found.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      if (systemCode(error) !== 'EPIPE') throw error;
    });
  }
  // Errors that no command awaits, such as those of a timer, are the harness's too: never Node's exit code 1.
  process.on('uncaughtException', (error) => process.exit(report(error)));
}

/** Runs one command line (without node and script); answers the exit code and leaves nothing running. */
export async function main(argv: readonly string[]): Promise<number> {
  guardProcess();
  const program = buildProgram();
  if (argv.length === 0) {
    process.stderr.write(program.helpInformation());
    return 2;
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      // A group without its command, such as `prism lab`: the help has been printed on stderr.
      if (error.code === 'commander.help') return 2;
      process.stderr.write(`prism: ${complaint(error, program, argv)}\n`);
      return 2;
    }
    return report(error);
  }
}
