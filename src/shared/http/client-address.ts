/** Whose request it is: the address behind the proxies that the admin named, and behind no others. */
import type { IncomingMessage } from 'node:http';
import { canonicalAddress, contains, type Network, parseAddress } from '../cidr.ts';

/**
 * The client's address in its canonical spelling. `X-Forwarded-For` is believed only as far as trusted proxies wrote it:
 * each of them adds, on the right, the address that it saw, so it is read from the right, for as long as the
 * address found so far is a trusted proxy's. What stands further left, anybody may have written.
 * `undefined` when the connection has closed already.
 */
export function clientAddress(
  request: Pick<IncomingMessage, 'socket' | 'headers'>,
  trustedProxies: readonly Network[],
): string | undefined {
  const peer = canonicalAddress(request.socket.remoteAddress ?? '');
  if (peer === undefined || trustedProxies.length === 0) return peer;
  const forwarded = String(request.headers['x-forwarded-for'] ?? '').split(',');
  let client = peer;
  while (isTrusted(client, trustedProxies)) {
    const next = parseHop(forwarded.pop() ?? '');
    // Nothing more, or `unknown`: the last proxy that is known stands for whoever is behind it.
    if (next === undefined) break;
    client = next;
  }
  return client;
}

/** What was found of addresses: few of them send nearly all requests. */
const judged = new WeakMap<readonly Network[], Map<string, boolean>>();
const maximumJudged = 1_000;

function isTrusted(text: string, trustedProxies: readonly Network[]): boolean {
  const known = judged.get(trustedProxies) ?? new Map<string, boolean>();
  judged.set(trustedProxies, known);
  let trusted = known.get(text);
  if (trusted === undefined) {
    const address = parseAddress(text);
    trusted = address !== undefined && trustedProxies.some((network) => contains(network, address));
    if (known.size >= maximumJudged) known.clear();
    known.set(text, trusted);
  }
  return trusted;
}

/** Some proxies add the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function parseHop(text: string): string | undefined {
  const hop = text.trim();
  const plain = /^\[([^\]]+)\](?::\d+)?$/.exec(hop)?.[1] ?? /^([\d.]+):\d+$/.exec(hop)?.[1] ?? hop;
  return canonicalAddress(plain);
}
