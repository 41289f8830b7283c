/** `prism spec`: model-checks the TLA+ specification, and proves that its operators notice what they are there for. */
import type { Command } from 'commander';
import { registerSpecCheck } from '../spec/check.js';
import { registerSpecMutants } from '../spec/mutants.js';

export function registerSpec(program: Command): void {
  const spec = program
    .command('spec')
    .summary('model-check the TLA+ specification of the hand-off')
    .description(
      'Checks the TLA+ specification in spec/ with TLC, which is found or fetched (see prism spec check --help).',
    )
    .helpCommand(false);
  registerSpecCheck(spec);
  registerSpecMutants(spec);
}
