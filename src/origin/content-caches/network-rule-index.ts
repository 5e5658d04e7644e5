/**
 * Network rules in memory: which of them is for the most specific network in which an address lies. Pure.
 *
 * Networks lie within each other or apart, so together they cut all addresses into sections in each of which one rule is the
 * most specific, or none. A look is a binary search for the section.
 */
import { type Address, addressBits, parseAddress, parseNetwork } from '../../shared/cidr.ts';

export interface IndexedRule {
  /** CIDR, canonical. */
  readonly network: string;
  /** `undefined`: the origin itself serves. */
  readonly contentCacheId: string | undefined;
}

/** From `start` up to the start of the next. */
interface Section {
  readonly start: bigint;
  readonly rule: IndexedRule | undefined;
}

/** A rule with the first and the last address of its network. */
interface Span {
  readonly first: bigint;
  readonly last: bigint;
  readonly rule: IndexedRule;
}

export class NetworkRuleIndex {
  readonly #sections: Readonly<Record<Address['family'], readonly Section[]>>;

  /** Rules whose networks do not parse are left out: no client is in them. */
  constructor(rules: Iterable<IndexedRule>) {
    const spans = { 4: [] as Span[], 6: [] as Span[] };
    for (const rule of rules) {
      const network = parseNetwork(rule.network);
      if (network === undefined) continue;
      const hosts = 1n << BigInt(addressBits[network.family] - network.prefix);
      spans[network.family].push({ first: network.bits, last: network.bits + hosts - 1n, rule });
    }
    this.#sections = { 4: sectionsOf(spans[4]), 6: sectionsOf(spans[6]) };
  }

  find(address: string): IndexedRule | undefined {
    const parsed = parseAddress(address);
    if (parsed === undefined) return undefined;
    const sections = this.#sections[parsed.family];
    let low = 0;
    let high = sections.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sections[middle] as Section).start <= parsed.bits) low = middle + 1;
      else high = middle;
    }
    return sections[low - 1]?.rule;
  }
}

/** By where they start; what is before the first of them is in no network. */
function sectionsOf(spans: Span[]): Section[] {
  // A network comes before those that lie within it.
  spans.sort((one, other) => compare(one.first, other.first) || compare(other.last, one.last));
  const sections: Section[] = [];
  const begin = (start: bigint, rule: IndexedRule | undefined) => {
    if (sections.at(-1)?.start === start) sections.pop();
    sections.push({ start, rule });
  };
  /** The networks in which we are, the widest first. */
  const open: Span[] = [];
  const closeBefore = (start: bigint | undefined) => {
    for (let inner = open.at(-1); inner !== undefined; inner = open.at(-1)) {
      if (start !== undefined && inner.last >= start) return;
      open.pop();
      begin(inner.last + 1n, open.at(-1)?.rule);
    }
  };
  for (const span of spans) {
    closeBefore(span.first);
    begin(span.first, span.rule);
    open.push(span);
  }
  closeBefore(undefined);
  return sections;
}

function compare(one: bigint, other: bigint): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
