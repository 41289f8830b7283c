/** A request's payload as it arrives: how much of the byte stream belongs to it, to the byte (BKD-2), and the content. */
import type { RequestDescription } from '../control/messages.js';

interface Content {
  readonly before: Content | null;
  readonly bytes: Uint8Array;
}

type Framing =
  | { readonly kind: 'length'; readonly left: number }
  | { readonly kind: 'chunk-size'; readonly line: string }
  | { readonly kind: 'chunk-data'; readonly left: number }
  | { readonly kind: 'chunk-end'; readonly line: string }
  | { readonly kind: 'trailer'; readonly line: string };

export interface Payload {
  readonly content: Content | null;
  readonly size: number;
  readonly framing: Framing;
  readonly status: 'incomplete' | 'complete' | 'malformed';
}

/** Longest chunk-size or trailer line, in bytes. */
const LINE_LIMIT = 4096;

export function startPayload(description: RequestDescription['payload']): Payload {
  if (description.kind === 'chunked')
    return { content: null, size: 0, framing: { kind: 'chunk-size', line: '' }, status: 'incomplete' };
  const status = description.bytes === 0 ? 'complete' : 'incomplete';
  return { content: null, size: 0, framing: { kind: 'length', left: description.bytes }, status };
}

/** Takes what belongs to the payload from the start of `bytes`; `taken` says how many bytes that were (RFC 9112 §6.2, §7.1). */
export function takePayload(
  payload: Payload,
  bytes: Uint8Array,
): { readonly payload: Payload; readonly taken: number } {
  let { content, size, framing, status } = payload;
  let at = 0;
  const keep = (count: number): void => {
    content = { before: content, bytes: bytes.subarray(at, at + count) };
    size += count;
    at += count;
  };
  while (status === 'incomplete' && at < bytes.length) {
    if (framing.kind === 'length' || framing.kind === 'chunk-data') {
      const count = Math.min(framing.left, bytes.length - at);
      keep(count);
      const left: number = framing.left - count;
      if (left > 0) framing = { kind: framing.kind, left };
      else if (framing.kind === 'length') status = 'complete';
      else framing = { kind: 'chunk-end', line: '' };
      continue;
    }
    const newline = bytes.indexOf(10, at);
    const stop: number = newline === -1 ? bytes.length : newline + 1;
    const line: string = framing.line + Buffer.from(bytes.subarray(at, stop)).toString('latin1');
    at = stop;
    if (line.length > LINE_LIMIT) status = 'malformed';
    else if (newline === -1) framing = { kind: framing.kind, line };
    else if (framing.kind === 'chunk-size') {
      const size16 = /^([0-9a-fA-F]{1,12})[ \t]*(;.*)?\r?\n$/.exec(line)?.[1];
      if (size16 === undefined) status = 'malformed';
      else {
        const left = Number.parseInt(size16, 16);
        framing = left === 0 ? { kind: 'trailer', line: '' } : { kind: 'chunk-data', left };
      }
    } else if (framing.kind === 'chunk-end') {
      if (/^\r?\n$/.test(line)) framing = { kind: 'chunk-size', line: '' };
      else status = 'malformed';
    } else if (/^\r?\n$/.test(line)) status = 'complete';
    else framing = { kind: 'trailer', line: '' };
  }
  return { payload: { content, size, framing, status }, taken: at };
}

/** The whole content, in order. */
export function payloadBytes(payload: Payload): Uint8Array {
  const whole = new Uint8Array(payload.size);
  let end = payload.size;
  for (let part = payload.content; part !== null; part = part.before) {
    end -= part.bytes.length;
    whole.set(part.bytes, end);
  }
  return whole;
}
