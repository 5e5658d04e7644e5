import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  canonicalAddress,
  contains,
  formatNetwork,
  type Network,
  parseAddress,
  parseNetwork,
} from '../../src/shared/cidr.ts';

describe('an address', () => {
  for (const [text, canonical] of [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:0201', '192.0.2.1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::', '::'],
  ] as const) {
    it(`${text} is spelled ${canonical}`, () => assert.equal(canonicalAddress(text), canonical));
  }

  for (const text of ['', 'unknown', '192.0.2', '192.0.2.256', '0x7f.1', '[::1]', '1.2.3.4:5', ':::1']) {
    it(`'${text}' is none`, () => assert.equal(parseAddress(text), undefined));
  }
});

describe('a network', () => {
  for (const [text, canonical] of [
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.20.30.40/8', '10.0.0.0/8'],
    ['255.255.255.255', '255.255.255.255/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8:1::/48', '2001:db8:1::/48'],
    ['2001:db8::1', '2001:db8::1/128'],
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
    ['::ffff:10.0.0.1', '10.0.0.1/32'],
    ['::/0', '::/0'],
    ['64:ff9b::192.0.2.33/96', '64:ff9b::/96'],
  ] as const) {
    it(`${text} is ${canonical}`, () => {
      assert.equal(formatNetwork(parseNetwork(text) as Network), canonical);
    });
  }

  for (const text of [
    '',
    '/8',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '10/8',
    '::/129',
    '::ffff:0:0/90',
    'a/8',
  ]) {
    it(`'${text}' is none`, () => assert.equal(parseNetwork(text), undefined));
  }

  for (const [network, address, within] of [
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['2001:db8::/33', '2001:db8:7fff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.6', false],
  ] as const) {
    it(`${network} ${within ? 'holds' : 'does not hold'} ${address}`, () => {
      const parsed = [parseNetwork(network), parseAddress(address)] as [Network, Network];
      assert.equal(contains(...parsed), within);
    });
  }
});
