/** bin/prism.js from source: what the tests of the command start. */
import { main } from '../../cli/main.js';

process.exitCode = await main(process.argv.slice(2));
