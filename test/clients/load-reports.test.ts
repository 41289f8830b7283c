/** What load generators print, as they print it. */
import t from 'tap';
import { readAb, readWrk } from '../../harness/clients/load-programs.js';

const AB = `Document Path:          /a/1k
Document Length:        1024 bytes

Concurrency Level:      4
Time taken for tests:   0.312 seconds
Complete requests:      100
Failed requests:        7
   (Connect: 0, Receive: 0, Length: 7, Exceptions: 0)
Non-2xx responses:      7
Keep-Alive requests:    100
Total transferred:      112900 bytes
HTML transferred:       102400 bytes
`;

t.test('ab', async (t) => {
  t.same(readAb(AB), { done: 100, errors: 7, non2xx: 7, bytes: 112_900 });
  t.same(readAb(AB.replace(/Non-2xx.*\n/, '')), { done: 100, errors: 7, non2xx: 0, bytes: 112_900 });
  t.equal(readAb('apr_socket_connect(): Connection refused (111)\n'), undefined);
});

t.test('wrk', async (t) => {
  const counts = { done: 5, errors: 1, non2xx: 2, bytes: 9 };
  t.same(readWrk(`Running 1s test\n\nprism-load ${JSON.stringify(counts)}\n`), counts);
  t.equal(readWrk('unable to connect to 198.18.0.80:80 Connection refused\n'), undefined);
  t.throws(() => readWrk('prism-load {"done":1}\n'));
});
