/** Requests for clients that know nothing of HTTP (nc, lwIP, scapy): the bytes as somebody would type them. */
import { generateBody } from '../objects.js';
import type { HttpRequestSpec } from '../world.js';

/** Header and body in one piece; `host` is the Host header's value. A body is sent at once, whatever `expectContinue` says. */
export function typedRequest(spec: HttpRequestSpec, host: string): Buffer {
  const { method, path, headers = {}, expectContinue } = spec;
  const hasBody = spec.body !== undefined || method === 'PUT' || method === 'POST';
  const body = spec.body === undefined ? new Uint8Array(0) : generateBody(spec.body);
  const fields: (readonly [string, string])[] = [
    ['Host', host],
    ...Object.entries(headers),
    ...(hasBody ? [['Content-Length', String(body.length)] as const] : []),
    ...(expectContinue === true ? [['Expect', '100-continue'] as const] : []),
  ];
  const header = [`${method} ${path} HTTP/1.1`, ...fields.map(([name, value]) => `${name}: ${value}`), '', ''];
  return Buffer.concat([Buffer.from(header.join('\r\n'), 'latin1'), body]);
}
