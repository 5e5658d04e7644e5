import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { type Network, parseNetwork } from '../../../src/shared/cidr.ts';
import { clientAddress } from '../../../src/shared/http/client-address.ts';

const proxies = ['10.0.0.0/8', '2001:db8:f::/48'];

function seen(
  peer: string | undefined,
  forwarded: string | undefined,
  trusted: string[],
): string | undefined {
  const socket = { remoteAddress: peer } as Socket;
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  return clientAddress(
    { socket, headers },
    trusted.map((text) => parseNetwork(text) as Network),
  );
}

describe("the client's address", () => {
  it('is that of the connection, IPv4 in IPv6 as IPv4', () => {
    assert.equal(seen('::ffff:192.0.2.1', undefined, []), '192.0.2.1');
    assert.equal(seen('2001:db8::1', undefined, []), '2001:db8::1');
  });

  it('is unknown once the connection is gone', () =>
    assert.equal(seen(undefined, '192.0.2.1', proxies), undefined));

  for (const [why, peer, forwarded, client] of [
    ['is what a trusted proxy saw', '10.0.0.1', '192.0.2.9', '192.0.2.9'],
    ['is not what a client says without a proxy', '198.51.100.1', '192.0.2.9', '198.51.100.1'],
    ['is not what a client told the proxy', '10.0.0.1', '203.0.113.66, 192.0.2.9', '192.0.2.9'],
    ['is found behind two trusted proxies', '10.0.0.1', '192.0.2.9, 10.9.9.9', '192.0.2.9'],
    [
      'ends at the first proxy that is not trusted',
      '10.0.0.1',
      '192.0.2.9, 198.51.100.7, 10.9.9.9',
      '198.51.100.7',
    ],
    ['is the proxy itself when it says nothing', '10.0.0.1', undefined, '10.0.0.1'],
    ['is the last that is known before nonsense', '10.0.0.1', 'unknown, 10.9.9.9', '10.9.9.9'],
    ['is the leftmost when all are trusted', '10.0.0.1', '10.1.1.1,10.2.2.2', '10.1.1.1'],
    ['is read without its port', '10.0.0.1', '192.0.2.9:4711', '192.0.2.9'],
    ['is read without brackets and port', '2001:db8:f::1', '[2001:DB8::9]:4711', '2001:db8::9'],
    ['is read although it is IPv4 in IPv6', '::ffff:10.0.0.1', '::ffff:192.0.2.9', '192.0.2.9'],
  ] as const) {
    it(why, () => assert.equal(seen(peer, forwarded, proxies), client));
  }
});
