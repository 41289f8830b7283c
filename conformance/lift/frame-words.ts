/** A frame in words, with its numbers relative to the streams' first bytes. */
import { isFlagged, type Segment } from '../flows/decode.js';

const FLAGS = ['SYN', 'FIN', 'RST'] as const;

/** `client sends [FIN] 79..79, acknowledges 1105` and the like. */
export function describeFrame(segment: Segment): string {
  const { vantage, direction, offset, length, acked, towards } = segment;
  const flags = FLAGS.filter((flag) => isFlagged(segment, flag));
  const from = towards === 'server' ? 'client' : 'server';
  const what = [
    ...(flags.length > 0 ? [`[${flags.join(' ')}]`] : []),
    length > 0 ? `${from} bytes ${offset} to ${offset + length - 1}` : `at ${from} byte ${offset}`,
  ].join(' ');
  const ack = Number.isFinite(acked)
    ? `, acknowledges ${towards === 'server' ? 'server' : 'client'} byte ${acked}`
    : '';
  const window = segment.window === 0 && !isFlagged(segment, 'RST') ? ', window 0' : '';
  return `${direction === 'sent' ? `${vantage} sends` : `arrives at ${vantage}`}: ${what}${ack}${window}`;
}
