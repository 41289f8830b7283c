/** `prism bench check`: packets per second of `prism check` beside `tshark -q -z conv,tcp`, on one file that is made for it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, InvalidArgumentError } from 'commander';
import { Failure, fileReason } from '../failure.js';
import { withInterrupt } from '../interrupt.js';
import { addOutputOptions, Output, type OutputOptions, prepareOut } from '../output.js';
import { parsePositive } from '../spec/tools.js';
import { median } from './median.js';
import { type Traffic, writeTraffic } from './traffic.js';

interface BenchOptions extends OutputOptions {
  readonly frames: number;
  readonly rounds: number;
  readonly loss: number;
}

interface Measured {
  readonly seconds: number;
  /** Of processor time, user and system. */
  readonly cpuSeconds: number;
  readonly packetsPerSecond: number;
  readonly peakBytes: number;
}

const PRISM = fileURLToPath(new URL('../../../bin/prism.js', import.meta.url));

/** Runs a program under `time`, which says what it took; rejects with a Failure for what cannot be run. */
async function measure(argv: readonly string[], frames: number, signal: AbortSignal): Promise<Measured> {
  const started = performance.now();
  const child = spawn('/usr/bin/time', ['-f', 'measured %U %S %M', ...argv], { stdio: ['ignore', 'ignore', 'pipe'] });
  const abort = (): void => {
    child.kill('SIGTERM');
  };
  signal.addEventListener('abort', abort, { once: true });
  let said = '';
  child.stderr.on('data', (piece: Buffer) => {
    said = (said + piece.toString()).slice(-4096);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', (error) => reject(new Failure(4, `${argv[0]} cannot be measured: ${fileReason(error)}`)));
    child.on('close', resolve);
  }).finally(() => signal.removeEventListener('abort', abort));
  signal.throwIfAborted();
  const seconds = (performance.now() - started) / 1000;
  const told = /measured ([\d.]+) ([\d.]+) (\d+)/.exec(said);
  if (code !== 0 || told === null) {
    const why = said.trim().split('\n').at(-1) ?? '';
    throw new Failure(4, `${argv.slice(0, 2).join(' ')} ended with ${code}: ${why}`);
  }
  return {
    seconds,
    cpuSeconds: Number(told[1]) + Number(told[2]),
    packetsPerSecond: frames / seconds,
    peakBytes: Number(told[3]) * 1024,
  };
}

const count = (n: number): string => Math.round(n).toLocaleString('en-US');
const mebibytes = (n: number): string => `${Math.round(n / 1024 / 1024)} MiB`;

async function bench(options: BenchOptions): Promise<number> {
  const output = new Output(options);
  const parent = options.out === undefined ? tmpdir() : prepareOut(options.out);
  const folder = mkdtempSync(join(parent, 'prism-bench-check-'));
  try {
    return await withInterrupt(async (signal) => {
      output.progress(`a capture of ${count(options.frames)} frames`);
      const traffic = await writeTraffic(folder, options.frames, options.seed ?? 1, options.loss);
      const topology = join(folder, 'topology.json');
      writeFileSync(topology, JSON.stringify(traffic.topology));
      return await compare(output, options, traffic, topology, signal);
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compare(
  output: Output,
  options: BenchOptions,
  traffic: Traffic,
  topology: string,
  signal: AbortSignal,
): Promise<number> {
  const { frames, connections, bytes, path } = traffic;
  output.line(
    `${count(frames)} frames at four vantages, ${count(connections)} connections, ${mebibytes(bytes)}, ${options.loss * 100} % lost`,
  );
  const check: Measured[] = [];
  const tshark: Measured[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    output.progress(`round ${round} of ${options.rounds}: tshark`);
    tshark.push(await measure(['tshark', '-q', '-z', 'conv,tcp', '-r', path], frames, signal));
    output.progress(`round ${round} of ${options.rounds}: prism check`);
    const argv = [process.execPath, PRISM, 'check', path, '--topology', topology, '--no-control', '--quiet'];
    check.push(await measure(argv, frames, signal));
    const told = (name: string, list: readonly Measured[]): string => {
      const one = list.at(-1);
      return one === undefined
        ? ''
        : `${name} ${one.seconds.toFixed(2)} s (${one.cpuSeconds.toFixed(2)} s of processor), ${count(one.packetsPerSecond)} packets/s, ${mebibytes(one.peakBytes)}`;
    };
    output.line(`round ${round}: ${told('tshark', tshark)}; ${told('prism check', check)}`);
  }
  const ratios = check.map((one, i) => one.packetsPerSecond / (tshark[i]?.packetsPerSecond ?? one.packetsPerSecond));
  const cpu = check.map((one, i) => (tshark[i]?.cpuSeconds ?? one.cpuSeconds) / one.cpuSeconds);
  const rate = (list: readonly Measured[]): number => median(list.map((one) => one.packetsPerSecond));
  const most = (list: readonly Measured[]): number => Math.max(...list.map(({ peakBytes }) => peakBytes));
  output.line(
    `packets per second, median of ${options.rounds}: tshark ${count(rate(tshark))}, prism check ${count(rate(check))}`,
  );
  output.line(
    `ratio prism check to tshark: median ${median(ratios).toFixed(2)}, from ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}; by processor time ${median(cpu).toFixed(2)}`,
  );
  output.line(`memory, at most: tshark ${mebibytes(most(tshark))}, prism check ${mebibytes(most(check))}`);
  output.document({
    schema: 'prism-bench/1',
    bench: 'check',
    frames,
    connections,
    bytes,
    loss: options.loss,
    rounds: options.rounds,
    tshark,
    check,
    ratio: { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) },
    ratioOfProcessorTime: median(cpu),
  });
  return 0;
}

function parseLoss(text: string): number {
  const loss = Number(text);
  if (!(loss >= 0 && loss <= 0.1) || text.trim() === '')
    throw new InvalidArgumentError('it is a part of 1, from 0 to 0.1.');
  return loss;
}

export function registerBenchCheck(group: Command): void {
  const command = group
    .command('check')
    .summary('prism check beside tshark -q -z conv,tcp, on the same file')
    .description(
      'Makes a capture of many connections out of a simulated run, told again and again by other clients, and measures round by round and\n' +
        'side by side how many packets per second prism check and tshark -q -z conv,tcp take, start-up included.',
    )
    .option('--frames <N>', 'how long the capture is', parsePositive, 1_500_000)
    .option('--rounds <N>', 'how often each is measured', parsePositive, 3)
    .option('--loss <PART>', 'how much of all frames is lost, as a part of 1', parseLoss, 0.0005);
  addOutputOptions(command, {
    out: 'where the capture is made, and removed afterwards (default: the folder for temporary files)',
    seed: 'of the simulated run',
  }).addHelpText(
    'after',
    `
Examples:
  prism bench check                     about two minutes and 1.5 GB of disk
  prism bench check --frames 100000 --rounds 5`,
  );
  command.action(async (options: BenchOptions) => {
    process.exitCode = await bench(options);
  });
}
