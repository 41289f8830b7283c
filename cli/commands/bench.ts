/** `prism bench`: benchmarks, each printing ratios measured side by side in one run. */
import type { Command } from 'commander';
import { registerBenchCheck } from '../bench/check.js';
import { registerBenchExplore } from '../bench/explore.js';
import { registerBenchSwitch } from '../bench/switch.js';

export function registerBench(program: Command): void {
  const bench = program
    .command('bench')
    .summary('benchmarks, each with ratios measured side by side in one run')
    .description('Benchmarks. Nothing is judged: machines differ, and only the ratios of one run mean something.')
    .helpCommand(false);
  registerBenchExplore(bench);
  registerBenchCheck(bench);
  registerBenchSwitch(bench);
}
