/** Runs TLC on a model without an end, and waits to be killed. */
import { runTlc } from '../../../model/tlc/run.js';
import { fixture } from './tools.js';

const [, , java = '', jar = ''] = process.argv;
await runTlc(fixture({ java, jar }, 'Endless', 'INIT Init\nNEXT Next'));
