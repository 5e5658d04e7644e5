/** Addresses and networks of IPv4 and IPv6: parsing, their one canonical spelling, and which lies within which. */
import { isIP, SocketAddress } from 'node:net';

export interface Address {
  readonly family: 4 | 6;
  readonly bits: bigint;
}

/** `bits` beyond the prefix are zero. */
export interface Network extends Address {
  readonly prefix: number;
}

/** How many bits an address has. */
export const addressBits = { 4: 32, 6: 128 } as const;

/** IPv4 in IPv6, as a socket that listens on both shows it. */
const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/;

/**
 * The canonical spelling of an address: IPv6 compressed in lower case, IPv4-mapped IPv6 as IPv4, without a zone.
 * `undefined` for anything else.
 */
export function canonicalAddress(text: string): string | undefined {
  const family = isIP(text);
  if (family === 4) return text;
  if (family === 0) return undefined;
  // How every request by IPv4 looks to a socket of both families: not worth a detour.
  const inner = mapped.exec(text)?.[1];
  if (inner !== undefined) return inner;
  const [plain] = text.split('%') as [string];
  const { address } = new SocketAddress({ address: plain, family: 'ipv6' });
  return mapped.exec(address)?.[1] ?? address;
}

/** `undefined` for what is not an address. */
export function parseAddress(text: string): Address | undefined {
  const canonical = canonicalAddress(text);
  if (canonical === undefined) return undefined;
  return canonical.includes(':')
    ? { family: 6, bits: bitsOfIPv6(canonical) }
    : { family: 4, bits: BigInt(bitsOfIPv4(canonical)) };
}

/** `<address>/<prefix>`, or an address, which is a network of one. `undefined` for anything else. */
export function parseNetwork(text: string): Network | undefined {
  const match = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text);
  const address = parseAddress(match?.[1] ?? '');
  if (match === null || address === undefined) return undefined;
  const length = addressBits[address.family];
  // The prefix of a mapped address counts the 96 bits before it.
  const written = (match[1] as string).includes(':') ? 128 : 32;
  const prefix = match[2] === undefined ? length : Number(match[2]) - (written - length);
  if (prefix < 0 || prefix > length) return undefined;
  return networkOf(address, prefix);
}

/** The network of that prefix in which the address lies. */
function networkOf({ family, bits }: Address, prefix: number): Network {
  const rest = BigInt(addressBits[family] - prefix);
  return { family, prefix, bits: (bits >> rest) << rest };
}

export function contains(network: Network, address: Address): boolean {
  return network.family === address.family && networkOf(address, network.prefix).bits === network.bits;
}

/** The canonical `<address>/<prefix>`. */
export function formatNetwork({ family, bits, prefix }: Network): string {
  return `${family === 4 ? formatIPv4(Number(bits)) : formatIPv6(bits)}/${prefix}`;
}

function bitsOfIPv4(text: string): number {
  return text.split('.').reduce((bits, byte) => bits * 256 + Number(byte), 0);
}

function bitsOfIPv6(text: string): bigint {
  // Old spellings such as ::1.2.3.4 end in IPv4.
  const hex = text.replace(/\d+\.\d+\.\d+\.\d+$/, (last) => {
    const bits = bitsOfIPv4(last);
    return `${Math.floor(bits / 65_536).toString(16)}:${(bits % 65_536).toString(16)}`;
  });
  const [head = '', tail] = hex.split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = Array<string>(8 - before.length - after.length).fill('0');
  return BigInt(`0x${[...before, ...zeros, ...after].map((group) => group.padStart(4, '0')).join('')}`);
}

function formatIPv4(bits: number): string {
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.');
}

function formatIPv6(bits: bigint): string {
  const groups = bits.toString(16).padStart(32, '0').match(/.{4}/g) as string[];
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}
