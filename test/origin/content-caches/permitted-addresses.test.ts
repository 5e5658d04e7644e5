import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { describe, it } from 'node:test';
import {
  assertHostPermitted,
  isPermitted,
  type Lookup,
  permittedLookup,
} from '../../../src/origin/content-caches/permitted-addresses.ts';

const open = { privateNetworks: true };
const closed = { privateNetworks: false };

describe('where the origin may connect to (A04)', () => {
  const never = [
    ['169.254.169.254', 'the metadata service of most clouds'],
    ['169.254.0.1', 'link-local'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local with a zone'],
    ['::ffff:169.254.169.254', 'mapped'],
    ['::ffff:a9fe:a9fe', 'mapped, in hexadecimal'],
    ['64:ff9b::a9fe:a9fe', 'by NAT64'],
    ['2002:a9fe:a9fe::1', 'by 6to4'],
    ['fd00:ec2::254', 'the metadata service of AWS by IPv6'],
    ['100.100.100.200', 'the metadata service of Alibaba'],
    ['168.63.129.16', 'the wire server of Azure'],
    ['0.0.0.0', 'this host'],
    ['::', 'this host'],
    ['224.0.0.1', 'multicast'],
    ['ff02::1', 'multicast'],
    ['255.255.255.255', 'broadcast'],
    ['localhost', 'not an address'],
  ] as const;
  for (const [address, what] of never) {
    it(`never to ${address}: ${what}`, () => assert.equal(isPermitted(address, open), false));
  }

  for (const address of [
    '127.0.0.1',
    '::1',
    '10.1.2.3',
    '172.31.0.9',
    '192.168.1.1',
    'fd12::1',
    '100.64.0.1',
  ]) {
    it(`to ${address} unless private networks are off`, () => {
      assert.equal(isPermitted(address, open), true);
      assert.equal(isPermitted(address, closed), false);
    });
  }

  for (const address of ['203.0.113.7', '172.32.0.1', '2001:db8::7', '64:ff9b::cb00:7107']) {
    it(`to ${address} always`, () => assert.equal(isPermitted(address, closed), true));
  }

  it('a host that is an address is looked at as one, with brackets too', () => {
    for (const host of ['169.254.169.254', '[fe80::1]', '[::ffff:169.254.169.254]']) {
      assert.throws(() => assertHostPermitted(host, open), { code: 'ADDRESS_NOT_PERMITTED' });
    }
    for (const host of ['127.0.0.1', '[::1]', 'cache.example.com']) assertHostPermitted(host, open);
  });
});

describe('a name is judged by what it resolves to', () => {
  const resolving =
    (...addresses: string[]): Lookup =>
    (_hostname, _options, callback) =>
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
  const ask = (lookup: Lookup, all: boolean) =>
    new Promise<string | LookupAddress[]>((resolve, reject) => {
      permittedLookup(open, lookup)('cache.example.com', { all }, (error, found) =>
        error === null ? resolve(found) : reject(error),
      );
    });

  it('to permitted addresses only', async () => {
    const mixed = resolving('169.254.169.254', '203.0.113.7', 'fe80::1', '2001:db8::7');
    assert.equal(await ask(mixed, false), '203.0.113.7');
    assert.deepEqual(await ask(mixed, true), [
      { address: '203.0.113.7', family: 4 },
      { address: '2001:db8::7', family: 6 },
    ]);
  });

  it('to none of them: refused, and the address is not told', async () => {
    await assert.rejects(ask(resolving('169.254.169.254'), true), {
      code: 'ADDRESS_NOT_PERMITTED',
      message: 'cache.example.com is an address that the origin does not connect to',
    });
  });

  it('to nothing: the error of the resolver', async () => {
    const failing: Lookup = (_hostname, _options, callback) =>
      callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []);
    await assert.rejects(ask(failing, true), { code: 'ENOTFOUND' });
  });
});
