/** `prism trace`: is what was observed a behaviour of the TLA+ specification? */
import type { Command } from 'commander';
import { registerTraceCheck } from '../trace/check.js';

export function registerTrace(program: Command): void {
  const trace = program
    .command('trace')
    .summary('hold traces and captures against the TLA+ specification')
    .description(
      'Validates what was observed against the TLA+ specification in spec/ with TLC (see prism trace check --help).',
    )
    .helpCommand(false);
  registerTraceCheck(trace);
}
