/**
 * Where the origin may connect to when an admin names a host (threats A04): decided on the address that a connection is made
 * to, after its name was resolved, so that a name which changes its answer gains nothing.
 */
import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { type Address, contains, type Network, parseAddress, parseNetwork } from '../../shared/cidr.ts';

/** What a name resolves to; Node's own `dns.lookup` unless a test gives another. */
export type Lookup = (
  hostname: string,
  options: { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: { address: string; family: number }[]) => void,
) => void;

/** No content cache is ever there. */
const neverPermitted = [
  // Link-local: where clouds keep the credentials of their machines.
  '169.254.0.0/16',
  'fe80::/10',
  // The same services where they are not link-local: AWS and GCP by IPv6, Alibaba, Oracle, Azure.
  'fd00:ec2::254',
  'fd20:ce::254',
  '100.100.100.200',
  '192.0.0.0/24',
  '168.63.129.16',
  // "This host", multicast, reserved.
  '0.0.0.0/8',
  '::',
  '224.0.0.0/3',
  'ff00::/8',
].map(network);

const privateNetworks = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '::1',
  'fc00::/7',
].map(network);

/** IPv4 within IPv6, by what comes before it: NAT64 and 6to4. Mapped addresses are IPv4 already. */
const embeddings: readonly { within: Network; shift: bigint }[] = [
  { within: network('64:ff9b::/96'), shift: 0n },
  { within: network('2002::/16'), shift: 80n },
];

class AddressNotPermitted extends Error {
  readonly code = 'ADDRESS_NOT_PERMITTED';

  constructor(hostname: string) {
    super(`${hostname} is an address that the origin does not connect to`);
    this.name = 'AddressNotPermitted';
  }
}

export interface AddressPolicy {
  /** Whether loopback and private networks are permitted, where most caches of a company are. */
  readonly privateNetworks: boolean;
}

export function isPermitted(text: string, policy: AddressPolicy): boolean {
  const address = parseAddress(text);
  if (address === undefined) return false;
  const refused = policy.privateNetworks ? neverPermitted : [...neverPermitted, ...privateNetworks];
  return formsOf(address).every((form) => !refused.some((one) => contains(one, form)));
}

/**
 * A `lookup` for sockets that gives only permitted addresses. Sockets do not ask it for a host that is an address
 * itself: `assertHostPermitted` is for those.
 */
export function permittedLookup(policy: AddressPolicy, lookup: Lookup = systemLookup): LookupFunction {
  return (hostname, { all }, callback) => {
    lookup(hostname, { all: true }, (error, found) => {
      const addresses = (found ?? []).filter(({ address }) => isPermitted(address, policy));
      const [first] = addresses;
      if (error !== null) callback(error, '');
      else if (first === undefined) callback(new AddressNotPermitted(hostname), '');
      else if (all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

/** @throws AddressNotPermitted for a host that is an address, and not a permitted one */
export function assertHostPermitted(hostname: string, policy: AddressPolicy): void {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !isPermitted(host, policy)) throw new AddressNotPermitted(host);
}

/** The address, and the IPv4 address that it leads to. */
function formsOf(address: Address): Address[] {
  if (address.family === 4) return [address];
  const embedded = embeddings.filter(({ within }) => contains(within, address));
  return [
    address,
    ...embedded.map(({ shift }) => ({ family: 4 as const, bits: (address.bits >> shift) & 0xffff_ffffn })),
  ];
}

function network(text: string): Network {
  return parseNetwork(text) as Network;
}
