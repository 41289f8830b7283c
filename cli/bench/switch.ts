/** `prism bench switch`: TCP throughput through each kind of switch beside a Linux bridge, round by round. */
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { SwitchKind } from '../../kernel/bench/throughput.js';
import { Failure } from '../failure.js';
import { withInterrupt } from '../interrupt.js';
import { Output, type OutputOptions } from '../output.js';
import { parsePositive } from '../spec/tools.js';
import { median } from './median.js';

interface BenchOptions extends OutputOptions {
  readonly seconds: number;
  readonly rounds: number;
}

const MOST_ROUNDS = 60;

async function bench(options: BenchOptions): Promise<number> {
  const output = new Output(options);
  if (options.rounds > MOST_ROUNDS) throw new Failure(2, `--rounds is at most ${MOST_ROUNDS}`);
  const { SWITCH_KINDS, ThroughputBench } = await import('../../kernel/bench/throughput.js');
  const rates = new Map<SwitchKind, number[]>(SWITCH_KINDS.map((kind) => [kind, []]));
  await withInterrupt(async (signal) => {
    const bench = new ThroughputBench();
    try {
      for (const kind of SWITCH_KINDS) {
        output.progress(`network of the switch '${kind}'`);
        await bench.prepare(kind, options.rounds);
        signal.throwIfAborted();
      }
      for (let round = 1; round <= options.rounds; round++) {
        for (const kind of SWITCH_KINDS) {
          output.progress(`round ${round} of ${options.rounds}: ${kind}`);
          rates.get(kind)?.push(await bench.measure(kind, options.seconds));
          signal.throwIfAborted();
        }
        output.line(
          `round ${round}: ${SWITCH_KINDS.map((kind) => `${kind} ${gigabits(rates.get(kind)?.at(-1) ?? 0)}`).join(', ')}`,
        );
      }
    } finally {
      await bench.close();
    }
  });
  const of = (kind: SwitchKind): readonly number[] => rates.get(kind) ?? [];
  const results = SWITCH_KINDS.map((kind) => {
    const ratios = of(kind).map((rate, i) => rate / (of('bridge')[i] ?? rate));
    const ratio = { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
    return { kind, bitsPerSecond: of(kind), median: median(of(kind)), ratioToBridge: ratio };
  });
  for (const { kind, median: middle, ratioToBridge: ratio } of results)
    output.line(
      `${kind.padEnd(9)} median ${gigabits(middle)}, ${ratio.median.toFixed(2)} of the bridge (${ratio.least.toFixed(2)} to ${ratio.most.toFixed(2)})`,
    );
  output.document({
    schema: 'prism-bench/1',
    bench: 'switch',
    seconds: options.seconds,
    rounds: options.rounds,
    results,
  });
  return 0;
}

const gigabits = (rate: number): string => `${(rate / 1e9).toFixed(2)} Gbit/s`;

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0.5 && seconds <= 600)) throw new InvalidArgumentError('it is from 0.5 to 600.');
  return seconds;
}

export function registerBenchSwitch(group: Command): void {
  const command = group
    .command('switch')
    .summary('TCP throughput through each kind of switch, beside a Linux bridge')
    .description(
      "One TCP stream from a client's kernel to a backend's, each in a namespace, through a Linux bridge and through the switches of prism role switch\n" +
        '--data-plane, which rewrite it by a rule in both directions. Offloads are on, except for the switch that takes packets one by one.',
    )
    .option('--seconds <N>', 'how long each stream lasts', parseSeconds, 3)
    .option('--rounds <N>', 'how often each is measured', parsePositive, 3)
    .option('--json [FILE]', 'write the result as JSON to FILE, or to stdout (which then carries nothing else)')
    .option('--quiet', 'print problems only')
    .addHelpText(
      'after',
      `
Examples:
  sudo prism bench switch               about a minute; needs root, python3, clang and libbpf
  sudo prism bench switch --rounds 9 --json throughput.json`,
    );
  command.action(async (options: BenchOptions) => {
    process.exitCode = await bench(options);
  });
}
