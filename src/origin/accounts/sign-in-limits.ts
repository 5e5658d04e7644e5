/**
 * How often somebody may fail to sign in, whichever door they try: by address, and by account. A user who signed in from an
 * address lately is not locked out there by what others try on their name.
 */
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import { canonicalAddress } from '../../shared/cidr.ts';
import type { Clock } from '../../shared/clock.ts';
import { DomainError } from '../../shared/errors.ts';

export interface SignInLimitsOptions {
  /** Failures a minute from one address. */
  readonly perAddress: number;
  /** Failures a minute on one account, from all addresses that it never signed in from together. */
  readonly perAccount: number;
}

export const defaultSignInLimits: SignInLimitsOptions = { perAddress: 10, perAccount: 5 };

const windowSeconds = 60;
/** From the failure that is one too many, doubled each time up to the last of them. */
const blockSeconds = [60, 120, 240, 480, 900];
/** How long an address counts as one that the account signs in from. */
const knownMs = 30 * 86_400_000;
const maximumKnown = 10_000;
/** What is longer is nobody's name. */
const maximumNameLength = 128;

export class SignInLimits {
  readonly #addresses: RateLimiterMemory;
  readonly #accounts: RateLimiterMemory;
  readonly #clock: Clock;
  /** Signed in from there: until when it counts. The oldest first. */
  readonly #known = new Map<string, number>();
  /** How many times in a row a key was blocked. */
  readonly #blocks: RateLimiterMemory;

  constructor({ perAddress, perAccount }: SignInLimitsOptions, clock: Clock) {
    this.#addresses = new RateLimiterMemory({ points: perAddress, duration: windowSeconds });
    this.#accounts = new RateLimiterMemory({ points: perAccount, duration: windowSeconds });
    this.#blocks = new RateLimiterMemory({ points: Number.MAX_SAFE_INTEGER, duration: 3600 });
    this.#clock = clock;
  }

  /** @throws DomainError `too-many-sign-ins` saying in how many seconds to try again */
  async assertAllowed(name: string, address: string | undefined): Promise<void> {
    const found = [
      await this.#addresses.get(addressKey(address)),
      await this.#accounts.get(this.#accountKey(name, address)),
    ];
    const [byAddress, byAccount] = found;
    const waits = [
      waitOf(byAddress, this.#addresses.points),
      waitOf(byAccount, this.#accounts.points),
    ].filter((wait) => wait > 0);
    if (waits.length === 0) return;
    const seconds = Math.max(...waits);
    throw new DomainError('too-many-sign-ins', `too many failed sign-ins: try again in ${seconds} s`, {
      detail: { retryAfterSeconds: seconds },
    });
  }

  /** Counts a failure. */
  async failed(name: string, address: string | undefined): Promise<void> {
    await this.#count(this.#addresses, 'address', addressKey(address));
    await this.#count(this.#accounts, 'account', this.#accountKey(name, address));
  }

  /** The address is one of the account's from now on. */
  succeeded(name: string, address: string | undefined): void {
    const key = pairKey(name, address);
    this.#known.delete(key);
    this.#known.set(key, this.#clock() + knownMs);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= maximumKnown) break;
      this.#known.delete(oldest);
    }
  }

  async #count(limiter: RateLimiterMemory, kind: string, key: string): Promise<void> {
    const { consumedPoints } = await limiter.penalty(key);
    if (consumedPoints < limiter.points) return;
    const { consumedPoints: times } = await this.#blocks.penalty(`${kind} ${key}`);
    await limiter.block(key, blockSeconds[Math.min(times, blockSeconds.length) - 1] as number);
  }

  /** An address that the account signs in from has a budget of its own. */
  #accountKey(name: string, address: string | undefined): string {
    const pair = pairKey(name, address);
    return (this.#known.get(pair) ?? 0) > this.#clock() ? pair : name.slice(0, maximumNameLength);
  }
}

function waitOf(found: RateLimiterRes | null | undefined, points: number): number {
  return found == null || found.consumedPoints < points
    ? 0
    : Math.max(1, Math.ceil(found.msBeforeNext / 1000));
}

/** An IPv6 customer has a whole /64. */
function addressKey(address: string | undefined): string {
  const canonical = canonicalAddress(address ?? '') ?? 'unknown';
  if (!canonical.includes(':')) return canonical;
  const [head = '', tail] = canonical.split('::');
  const groups = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
  return [...groups, ...Array<string>(missing).fill('0')].slice(0, 4).join(':');
}

function pairKey(name: string, address: string | undefined): string {
  return `${name.slice(0, maximumNameLength)} ${addressKey(address)}`;
}
