import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type IndexedRule, NetworkRuleIndex } from '../../../src/origin/content-caches/network-rule-index.ts';
import {
  canonicalAddress,
  contains,
  formatNetwork,
  parseAddress,
  parseNetwork,
} from '../../../src/shared/cidr.ts';

const ruleFor = (network: string): IndexedRule => ({ network, contentCacheId: `cache for ${network}` });
const indexOf = (...networks: string[]) => new NetworkRuleIndex(networks.map(ruleFor));

describe('the rule for an address', () => {
  const index = indexOf(
    '0.0.0.0/0',
    '10.0.0.0/8',
    '10.20.0.0/16',
    '10.20.30.0/24',
    '10.20.30.40/32',
    '255.255.255.255/32',
    '2001:db8::/32',
    '2001:db8:1::/48',
    '2001:db8:1::1/128',
  );
  for (const [address, network] of [
    ['10.20.30.40', '10.20.30.40/32'],
    ['10.20.30.41', '10.20.30.0/24'],
    ['10.20.31.1', '10.20.0.0/16'],
    ['10.21.0.0', '10.0.0.0/8'],
    ['11.0.0.0', '0.0.0.0/0'],
    ['9.255.255.255', '0.0.0.0/0'],
    ['255.255.255.255', '255.255.255.255/32'],
    ['192.0.2.1', '0.0.0.0/0'],
    ['2001:db8:1::1', '2001:db8:1::1/128'],
    ['2001:db8:1::2', '2001:db8:1::/48'],
    ['2001:db8:2::', '2001:db8::/32'],
    ['2001:db9::', undefined],
    ['::1', undefined],
  ] as const) {
    it(`${address} is in ${network ?? 'none'}`, () => {
      assert.equal(index.find(address)?.network, network);
    });
  }

  it('there is none without rules, nor for one family in a rule for the other', () => {
    assert.equal(indexOf().find('10.0.0.1'), undefined);
    assert.equal(indexOf().find('::1'), undefined);
    assert.equal(indexOf('0.0.0.0/0').find('::1'), undefined);
    assert.equal(indexOf('::/0').find('10.0.0.1'), undefined);
    assert.equal(indexOf('::/0').find('::1')?.network, '::/0');
  });

  it('is the one that looking at every rule finds', () => {
    // Few different bits, so that networks lie within networks.
    const byte = fc.constantFrom(0, 1, 10, 127, 128, 255);
    const v4 = fc.tuple(byte, byte, byte, byte).map((bytes) => bytes.join('.'));
    const group = fc.constantFrom('0', '1', '7fff', '8000', 'ffff', '2001', 'db8');
    const v6 = fc.array(group, { minLength: 8, maxLength: 8 }).map((groups) => groups.join(':'));
    const network = fc.oneof(
      fc.tuple(v4, fc.integer({ min: 0, max: 32 })),
      fc.tuple(v6, fc.integer({ min: 0, max: 128 })),
    );
    fc.assert(
      fc.property(fc.array(network, { maxLength: 40 }), fc.oneof(v4, v6), (networks, address) => {
        // A wider network than all of IPv4 mapped into IPv6 has no spelling of its own there.
        const canonical = networks.flatMap(([base, prefix]) => {
          const parsed = parseNetwork(`${base}/${prefix}`);
          return parsed === undefined ? [] : formatNetwork(parsed);
        });
        const client = canonicalAddress(address) as string;
        assert.equal(indexOf(...canonical).find(client)?.network, bySearching(canonical, client));
      }),
      { numRuns: 2_000 },
    );
  });
});

it('10,000 rules of every length cost less than 50 µs an address', () => {
  const networks = Array.from({ length: 10_000 }, (_, n) => {
    const hex = ((n * 2_654_435_761) % 2 ** 32).toString(16).padStart(8, '0');
    return n % 2 === 0
      ? canonicalNetwork(
          `${[0, 2, 4, 6].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join('.')}/${8 + (n % 25)}`,
        )
      : canonicalNetwork(`2001:db8:${hex.slice(0, 4)}:${hex.slice(4)}::/${16 + (n % 113)}`);
  });
  const index = indexOf(...networks);
  // None of them has a rule: every length is looked at.
  const addresses = Array.from({ length: 1_000 }, (_, n) =>
    n % 2 === 0 ? `5.6.${n % 256}.7` : `2001:db9:${n.toString(16)}::1`,
  );
  const rounds = 20;
  const startedAt = performance.now();
  for (let round = 0; round < rounds; round += 1) for (const address of addresses) index.find(address);
  const microseconds = ((performance.now() - startedAt) * 1_000) / (rounds * addresses.length);
  assert.ok(microseconds < 50, `${microseconds} µs`);
});

function canonicalNetwork(text: string): string {
  const network = parseNetwork(text);
  assert.ok(network !== undefined, text);
  return formatNetwork(network);
}

/** What the index must find, without any index. */
function bySearching(networks: readonly string[], address: string): string | undefined {
  const client = parseAddress(address);
  assert.ok(client !== undefined);
  return networks
    .map((text) => ({ text, network: parseNetwork(text) }))
    .filter(({ network }) => network !== undefined && contains(network, client))
    .sort((one, other) => (other.network?.prefix ?? 0) - (one.network?.prefix ?? 0))[0]?.text;
}
