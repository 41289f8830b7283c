/** Requests that RFC 9112 cannot parse, or that could be read in two ways: refused by the controller, handed to nobody (REQ-7). */
import type { ConformanceCase } from '../case.js';
import { header } from '../vocabulary.js';
import { refuses } from './refusals.js';

const BAD = [400];

export const unparseable: readonly ConformanceCase[] = [
  refuses(
    'folded-field',
    'A field that is folded over two lines is answered 400 or reset (RFC 9112 §5.2).',
    'GET /a/1 HTTP/1.1\r\nHost: p\r\nX-Folded: one\r\n two\r\n\r\n',
    BAD,
  ),
  refuses(
    'space-before-colon',
    'White space between a field name and its colon is answered 400 or reset (RFC 9112 §5.1).',
    'GET /a/1 HTTP/1.1\r\nHost : p\r\n\r\n',
    BAD,
  ),
  refuses(
    'nul-in-field',
    'A NUL inside a field value is answered 400 or reset (RFC 9110 §5.5).',
    'GET /a/1 HTTP/1.1\r\nHost: p\r\nX-Nul: a\0b\r\n\r\n',
    BAD,
  ),
  refuses(
    'bare-cr-in-field',
    'A CR inside a field value that ends no line is answered 400 or reset (RFC 9112 §2.2).',
    'GET /a/1 HTTP/1.1\r\nHost: p\r\nX-Cr: a\rb\r\n\r\n',
    BAD,
  ),
  refuses(
    'control-character-in-target',
    'A control character inside the request target is answered 400 or reset (RFC 9112 §3.2).',
    'GET /a/\x01 HTTP/1.1\r\nHost: p\r\n\r\n',
    BAD,
  ),
  refuses(
    'missing-host',
    'An HTTP/1.1 request without Host is answered 400 or reset (RFC 9112 §3.2).',
    'GET /a/1 HTTP/1.1\r\nAccept: */*\r\n\r\n',
    BAD,
  ),
  refuses(
    'two-hosts',
    'A request with two Host fields is answered 400 or reset (RFC 9112 §3.2).',
    'GET /a/1 HTTP/1.1\r\nHost: p\r\nHost: q\r\n\r\n',
    BAD,
  ),
  refuses(
    'two-lengths',
    'Two different Content-Length fields are answered 400 or reset (RFC 9112 §6.3).',
    `${header('PUT', '/a/x', 'Content-Length: 3', 'Content-Length: 5')}abc`,
    BAD,
  ),
  refuses(
    'length-that-is-no-number',
    'A Content-Length that is no number is answered 400 or reset (RFC 9112 §6.3).',
    `${header('PUT', '/a/x', 'Content-Length: -3')}abc`,
    BAD,
  ),
  refuses(
    'chunked-and-length',
    'Transfer-Encoding beside Content-Length, as smugglers send it, is answered 400 or reset (RFC 9112 §6.1).',
    `${header('PUT', '/a/x', 'Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
    BAD,
  ),
  refuses(
    'http-2-preface',
    'The connection preface of HTTP/2 is answered 400, 501 or 505, or reset (RFC 9113 §3.4).',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    [400, 501, 505],
  ),
  refuses(
    'unknown-version',
    'A version of HTTP that nobody speaks is answered 505 or 400, or reset (RFC 9110 §15.6.6).',
    'GET /a/1 HTTP/3.7\r\nHost: p\r\n\r\n',
    [400, 505],
  ),
  refuses(
    'garbage',
    'Bytes that are no request at all are answered 400 or reset (RFC 9112 §3).',
    `${Array.from({ length: 200 }, (_, i) => String.fromCharCode((i * 37 + 128) % 256))
      .join('')
      .replaceAll('\n', '')}\r\n\r\n`,
    BAD,
  ),
];
