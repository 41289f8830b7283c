/** The bytes a TCP sender still may have to send again: an immutable queue of spans, read by offset from its head. */

export interface SendQueue {
  readonly spans: readonly Uint8Array[];
  /** Bytes of the first span that are already acknowledged. */
  readonly skipped: number;
  /** Bytes in the queue, acknowledged ones not counted. */
  readonly length: number;
}

export const EMPTY_QUEUE: SendQueue = { spans: [], skipped: 0, length: 0 };

export function enqueue(queue: SendQueue, bytes: Uint8Array): SendQueue {
  if (bytes.length === 0) return queue;
  return { spans: [...queue.spans, bytes], skipped: queue.skipped, length: queue.length + bytes.length };
}

/** Forgets `count` bytes at the head; `count` is at most `queue.length`. */
export function dequeue(queue: SendQueue, count: number): SendQueue {
  let skipped = queue.skipped + count;
  let first = 0;
  for (let span = queue.spans[first]; span !== undefined && skipped >= span.length; span = queue.spans[first]) {
    skipped -= span.length;
    first++;
  }
  return { spans: first === 0 ? queue.spans : queue.spans.slice(first), skipped, length: queue.length - count };
}

/** `count` bytes at `offset` from the head; a view where they lie in one span. */
export function peek(queue: SendQueue, offset: number, count: number): Uint8Array {
  let start = queue.skipped + offset;
  let index = 0;
  for (let span = queue.spans[index]; span !== undefined && start >= span.length; span = queue.spans[index]) {
    start -= span.length;
    index++;
  }
  const first = queue.spans[index];
  if (first === undefined) return new Uint8Array(0);
  if (start + count <= first.length) return first.subarray(start, start + count);
  const joined = new Uint8Array(count);
  let filled = 0;
  for (let span: Uint8Array | undefined = first; span !== undefined && filled < count; span = queue.spans[++index]) {
    const part = span.subarray(start, start + count - filled);
    joined.set(part, filled);
    filled += part.length;
    start = 0;
  }
  return joined.subarray(0, filled);
}
