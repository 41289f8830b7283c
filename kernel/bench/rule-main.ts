/** Asks the switch at 127.0.0.1 for one rule, prints its answer, and stays until its input ends. Arguments: the port, the request as JSON. */
import { connect } from 'node:net';
import { decodeControlLine, encodeControlLine } from '../../reference-impl/control/messages.js';

const [port = '', request = ''] = process.argv.slice(2);
const decoded = decodeControlLine(request);
if (!decoded.ok) throw new Error(decoded.error);
const socket = connect(Number(port), '127.0.0.1');
let said = '';
socket.setEncoding('utf8').on('data', (text: string) => {
  said += text;
  const [line] = said.split('\n');
  if (said.includes('\n')) process.stdout.write(`${line}\n`);
});
socket.write(encodeControlLine(decoded.message));
process.stdin.resume().once('end', () => process.exit(0));
