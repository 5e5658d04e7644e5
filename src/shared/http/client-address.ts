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
  const { remoteAddress } = request.socket;
  if (remoteAddress === undefined || trustedProxies.length === 0)
    return canonicalAddress(remoteAddress ?? '');
  const forwarded = String(request.headers['x-forwarded-for'] ?? '').split(',');
  let client = judge(remoteAddress, trustedProxies);
  while (client.isTrusted) {
    const next = judge(forwarded.pop() ?? '', trustedProxies);
    // Nothing more, or `unknown`: the last proxy that is known stands for whoever is behind it.
    if (next.address === undefined) break;
    client = next;
  }
  return client.address;
}

interface Hop {
  /** Canonical; `undefined` when the text is none. */
  readonly address: string | undefined;
  readonly isTrusted: boolean;
}

/** What was found of hops, by their text: few of them send nearly all requests. */
const judged = new WeakMap<readonly Network[], Map<string, Hop>>();
const maximumJudged = 10_000;

function judge(text: string, trustedProxies: readonly Network[]): Hop {
  const known = judged.get(trustedProxies) ?? new Map<string, Hop>();
  judged.set(trustedProxies, known);
  let hop = known.get(text);
  if (hop === undefined) {
    const address = parseHop(text);
    const parsed = address === undefined ? undefined : parseAddress(address);
    const isTrusted = parsed !== undefined && trustedProxies.some((network) => contains(network, parsed));
    hop = { address, isTrusted };
    if (known.size >= maximumJudged) known.clear();
    // Of a header of any length nothing long is kept.
    if (text.length <= maximumTextLength) known.set(text, hop);
  }
  return hop;
}

/** An IPv6 address in brackets with a port has fewer. */
const maximumTextLength = 64;

/** Some proxies add the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function parseHop(text: string): string | undefined {
  const hop = text.trim();
  const plain = /^\[([^\]]+)\](?::\d+)?$/.exec(hop)?.[1] ?? /^([\d.]+):\d+$/.exec(hop)?.[1] ?? hop;
  return canonicalAddress(plain);
}
