/** Addresses keep their value through their notation; what is not an address is none. */
import fc from 'fast-check';
import t from 'tap';
import {
  formatIpv4Address,
  formatMacAddress,
  parseIpv4Address,
  parseMacAddress,
} from '../../reference-impl/wire/index.js';
import { holds } from './property.js';

t.test('notation', async (t) => {
  t.equal(formatIpv4Address(0xc6120050), '198.18.0.80');
  t.equal(parseIpv4Address('198.18.0.80'), 0xc6120050);
  t.equal(formatMacAddress(0x025052000001), '02:50:52:00:00:01');
  t.equal(parseMacAddress('02:50:52:00:00:01'), 0x025052000001);
});

t.test('round trip', async (t) => {
  holds(
    t,
    fc.property(fc.integer({ min: 0, max: 0xffffffff }), (n) => parseIpv4Address(formatIpv4Address(n)) === n),
  );
  holds(
    t,
    fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), (n) => parseMacAddress(formatMacAddress(n)) === n),
  );
});

t.test('no address', async (t) => {
  for (const text of ['', '1.2.3', '1.2.3.256', '1.2.3.4.5', ' 1.2.3.4', '1.2.3.-4']) {
    t.equal(parseIpv4Address(text), undefined, text);
  }
  for (const text of ['', '02:50:52:00:00', '02-50-52-00-00-01', '02:50:52:00:00:0g']) {
    t.equal(parseMacAddress(text), undefined, text);
  }
});
