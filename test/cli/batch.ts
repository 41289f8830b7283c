/** Runs many command lines in one process, each as if it were alone, and prints what came of them as JSON. */
import { main } from '../../cli/main.js';

const ended: { code: number; stdout: string; stderr: string }[] = [];
const streams = [process.stdout, process.stderr] as const;
const writes = streams.map((stream) => stream.write.bind(stream));
for (const argv of JSON.parse(process.argv[2] ?? '[]')) {
  const texts = ['', ''];
  for (const [i, stream] of streams.entries()) {
    stream.write = (chunk: string | Uint8Array) => {
      texts[i] += chunk;
      return true;
    };
  }
  process.exitCode = 0;
  const code = await main(argv);
  ended.push({ code, stdout: texts[0] ?? '', stderr: texts[1] ?? '' });
}
process.exitCode = 0;
writes[0]?.(JSON.stringify(ended));
