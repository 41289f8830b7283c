/** Runs many command lines in one process, each as if it were alone, and prints what came of them as JSON. */
import { main } from '../../cli/main.js';

const ended: { code: number; stdout: string; stderr: string }[] = [];
const { stdout, stderr } = process;
const print = stdout.write.bind(stdout);
for (const argv of JSON.parse(process.argv[2] ?? '[]')) {
  const texts = { stdout: '', stderr: '' };
  stdout.write = (chunk: string | Uint8Array) => {
    texts.stdout += chunk;
    return true;
  };
  stderr.write = (chunk: string | Uint8Array) => {
    texts.stderr += chunk;
    return true;
  };
  process.exitCode = 0;
  ended.push({ code: await main(argv), ...texts });
}
process.exitCode = 0;
print(JSON.stringify(ended));
