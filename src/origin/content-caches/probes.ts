/**
 * A probe: is there a content cache at that address, does it serve this origin, and how is it? First a request that tells a
 * stranger nothing; then, if a content cache answered it, a signed one, which proves that its keys and its origins fit.
 */
import type { Clock } from '../../shared/clock.ts';
import { protocolHeader } from '../../shared/protocol.ts';
import {
  type CacheAddress,
  type CacheAnswer,
  type CacheClient,
  parseStatus,
  type UsagePosition,
} from './cache-client.ts';
import {
  clockTrouble,
  type Finding,
  failed,
  impaired,
  type Trouble,
  troubleOfError,
  troubleOfStatus,
  unfit,
} from './findings.ts';

/** All of its requests together. */
const probeMs = 3_000;
/** As far as the header `Date` can tell. */
const tellingSkewMs = 30_000;

/** Finds out about one cache. `after`: the usage records that are kept already. */
export async function probe(
  client: CacheClient,
  cache: CacheAddress,
  options: { clock: Clock; after?: UsagePosition | undefined; signal?: AbortSignal },
): Promise<Finding> {
  const { clock, after } = options;
  const deadline = AbortSignal.timeout(probeMs);
  const signal = options.signal === undefined ? deadline : AbortSignal.any([deadline, options.signal]);
  const found = (trouble: Trouble | undefined, more: Partial<Finding> = {}): Finding => ({
    trouble,
    probedAt: clock(),
    latencyMs: undefined,
    clockSkewMs: undefined,
    status: undefined,
    ...more,
  });
  let greeting: CacheAnswer;
  try {
    greeting = await client.greet(cache, signal);
  } catch (error) {
    return found(troubleOfError(error));
  }
  if (greeting.headers[protocolHeader] === undefined) return found(stranger(greeting));
  const skewByDate = skewOf(greeting, clock());
  try {
    const askedAt = clock();
    const began = performance.now();
    const answer = await client.status(cache, after, signal);
    const latencyMs = Math.round(performance.now() - began);
    if (answer.status !== 200) {
      return found(await troubleOfRefusal(client, cache, { answer, skewByDate, signal }), {
        clockSkewMs: skewByDate,
      });
    }
    const status = parseStatus(answer);
    if (status === undefined) return found(anotherVersion);
    // Made about half way between the asking and the answer.
    const clockSkewMs = Math.round(status.now - askedAt - latencyMs / 2);
    return found(troubleOfStatus(status, { latencyMs, clockSkewMs }), { status, latencyMs, clockSkewMs });
  } catch (error) {
    const trouble = troubleOfError(error);
    return found(trouble.reason === 'timeout' ? noTimelyStatus : trouble, { clockSkewMs: skewByDate });
  }
}

const anotherVersion = impaired(
  'version',
  'it is a content cache of another version, which cannot be asked how it is',
);

const noTimelyStatus = failed(
  'no-keys',
  'it answers, but not to the signature of this origin in time: can it reach the origin to fetch its public keys?',
);

/** Of the answer itself only its status is told: whatever is there may be private. */
function stranger({ status }: CacheAnswer): Trouble {
  const redirects = status >= 300 && status < 400;
  return unfit(
    'no-content-cache',
    redirects
      ? `it is no content cache: it answers with a redirect (${status}), which is not followed`
      : `it is no content cache: it answered ${status} without saying that it is one (${protocolHeader})`,
  );
}

async function troubleOfRefusal(
  client: CacheClient,
  cache: CacheAddress,
  about: { answer: CacheAnswer; skewByDate: number | undefined; signal: AbortSignal },
): Promise<Trouble> {
  const { answer, skewByDate } = about;
  switch (answer.status) {
    case 401:
    case 403: {
      if (skewByDate !== undefined && Math.abs(skewByDate) > tellingSkewMs) return clockTrouble(skewByDate);
      const keys = await client.relayedKeys(cache, about.signal);
      return keys.status === 404
        ? unfit(
            'other-origin',
            `it does not serve this origin: its originhost is another than ${client.issuer}`,
          )
        : unfit(
            'signature-refused',
            'it refuses the signature of this origin: is its http.host another address than it is registered with?',
          );
    }
    case 404:
    case 405:
      return anotherVersion;
    case 503:
      return failed('no-keys', `it has no public keys of this origin yet: can it reach ${client.issuer}?`);
    default:
      return failed('unhealthy', `it answered ${answer.status} to the signature of this origin`);
  }
}

/** By the header `Date`, which tells seconds. */
function skewOf({ headers }: CacheAnswer, now: number): number | undefined {
  const date = Date.parse(String(headers.date));
  return Number.isNaN(date) ? undefined : date + 500 - now;
}
