/** What probes find, and its words: each kind of trouble is told apart from the others, and says what an admin can do. */
import type { CacheStatus } from '../../shared/cache-command-bodies.ts';
import { protocolVersion } from '../../shared/protocol.ts';
import type { Verdict } from './health-state.ts';

/** The same trouble as the message, for programs. */
export type FindingReason =
  | 'address-not-permitted'
  | 'broken-connection'
  | 'client-certificate'
  | 'clock'
  | 'disk'
  | 'name-unknown'
  | 'no-content-cache'
  | 'no-keys'
  | 'no-tls'
  | 'other-origin'
  | 'refused'
  | 'signature-refused'
  | 'slow'
  | 'timeout'
  | 'tls-expired'
  | 'tls-not-yet-valid'
  | 'tls-untrusted'
  | 'tls-wrong-host'
  | 'unhealthy'
  | 'version';

/** What is the matter. */
export interface Trouble {
  readonly verdict: Exclude<Verdict, 'good'>;
  readonly reason: FindingReason;
  /** In words for an admin: begins with "it" or "its", the cache. */
  readonly message: string;
}

export interface Finding {
  /** `undefined`: all is well. */
  readonly trouble: Trouble | undefined;
  readonly probedAt: number;
  /** How long the signed request took. */
  readonly latencyMs: number | undefined;
  /** Positive: the clock of the cache is ahead of the origin's. */
  readonly clockSkewMs: number | undefined;
  /** What it said of itself. */
  readonly status: CacheStatus | undefined;
}

const slowMs = 1_500;
const impairingSkewMs = 30_000;
/** Signed URLs stand a difference of a minute. */
const maximumSkewMs = 60_000;
const nearlyFullShare = 0.02;
const longestReasons = 300;

/** Why the cache could not be asked at all. */
export function troubleOfError(error: unknown): Trouble {
  const { code = '', name } = (error ?? {}) as { code?: string; name?: string };
  if (name === 'TimeoutError') return failed('timeout', 'it did not answer in time');
  switch (code) {
    case 'ADDRESS_NOT_PERMITTED':
      return unfit(
        'address-not-permitted',
        'its address is one that the origin never connects to: link-local, or a private network while these are off (--probe-private-networks)',
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return failed('name-unknown', 'its name cannot be resolved by the origin');
    case 'ECONNREFUSED':
      return failed('refused', 'it refuses connections: is it running, and is the port right?');
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return failed('refused', 'the origin has no route to its address');
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return failed(
        'timeout',
        'it did not accept a connection in time: is a firewall between the origin and it?',
      );
    case 'ANSWER_TOO_LONG':
    case 'UND_ERR_HEADERS_OVERFLOW':
      return unfit('no-content-cache', 'it is no content cache: its answer is too long for one');
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return failed(
        'broken-connection',
        'it closed the connection: does it want TLS (https://) or none (http://)?',
      );
    default:
      return troubleOfTls(code) ?? failed('broken-connection', 'it does not answer in HTTP');
  }
}

function troubleOfTls(code: string): Trouble | undefined {
  switch (code) {
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return unfit(
        'tls-untrusted',
        'its TLS certificate is not trusted by the origin: register it with the CA that signed it (caPem)',
      );
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return unfit('tls-wrong-host', 'its TLS certificate is for another host name');
    case 'CERT_HAS_EXPIRED':
      return unfit('tls-expired', 'its TLS certificate has expired: renew it');
    case 'CERT_NOT_YET_VALID':
      return unfit('tls-not-yet-valid', 'its TLS certificate is not valid yet: is the clock right?');
    case 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED':
    case 'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE':
      return {
        verdict: 'impaired',
        reason: 'client-certificate',
        message:
          'it wants a client certificate, which the origin has none of: it is used without being looked at',
      };
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return failed(
        'no-tls',
        'it does not speak TLS at this address: register it with http://, or give it a certificate',
      );
    default:
      return /^(?:ERR_SSL_|CERT_|ERR_TLS_)/.test(code)
        ? unfit('tls-untrusted', 'no TLS connection to it can be made that the origin trusts')
        : undefined;
  }
}

/** What is the matter with a cache that serves this origin. The gravest comes first. */
export function troubleOfStatus(
  status: CacheStatus,
  measured: { latencyMs: number; clockSkewMs: number },
): Trouble | undefined {
  const { latencyMs, clockSkewMs } = measured;
  const { health, disk, protocol } = status;
  if (Math.abs(clockSkewMs) > maximumSkewMs) return clockTrouble(clockSkewMs);
  if (!health.healthy) {
    return failed('unhealthy', `it says that it is not healthy: ${printable(health.reasons.join('; '))}`);
  }
  if (Math.abs(clockSkewMs) > impairingSkewMs) return { ...clockTrouble(clockSkewMs), verdict: 'impaired' };
  if (protocol !== protocolVersion) {
    return impaired(
      'version',
      `it speaks version ${printable(protocol)} of the protocol, this origin version ${protocolVersion}`,
    );
  }
  if (disk.freeBytes < disk.sizeBytes * nearlyFullShare) {
    return impaired('disk', 'its disk is nearly full: what it cannot store it fetches again each time');
  }
  if (latencyMs > slowMs) return impaired('slow', `it took ${latencyMs} ms to answer`);
  return undefined;
}

/** A clock so far off that signed URLs are refused. */
export function clockTrouble(clockSkewMs: number): Trouble {
  const seconds = Math.round(Math.abs(clockSkewMs) / 1000);
  return unfit(
    'clock',
    `its clock is ${seconds} s ${clockSkewMs > 0 ? 'ahead of' : 'behind'} the origin's: signed URLs need clocks that agree within 60 s`,
  );
}

/** Past, soon enough, by itself: a cause for another look. */
export function failed(reason: FindingReason, message: string): Trouble {
  return { verdict: 'failed', reason, message };
}

export function impaired(reason: FindingReason, message: string): Trouble {
  return { verdict: 'impaired', reason, message };
}

/** Nothing that another look would find otherwise. */
export function unfit(reason: FindingReason, message: string): Trouble {
  return { verdict: 'unfit', reason, message };
}

/** What a cache wrote, fit for a line. */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]+/g, ' ').slice(0, longestReasons);
}
