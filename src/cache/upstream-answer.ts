/** The head of an upstream's answer, held against what was asked for: what is wrong with it, and what that means. */
import type { Digest } from '../shared/distribution/digest.ts';
import type { UpstreamAnswer } from './upstreams.ts';

/**
 * Why an answer is no use. `fault`: the hop is in trouble, and rests. `refusal`: it does not give this blob by this token,
 * which says nothing of others. `loop`: it would ask this cache in turn.
 */
export class UpstreamRefusal extends Error {
  readonly kind: 'fault' | 'refusal' | 'loop';

  constructor(kind: 'fault' | 'refusal' | 'loop', message: string) {
    super(message);
    this.name = 'UpstreamRefusal';
    this.kind = kind;
  }
}

/** What was kept of the blob is longer than the blob: it is of no use. */
export class BytesAtFault extends UpstreamRefusal {
  constructor() {
    super('refusal', 'its blob ends before the bytes that were kept of an earlier fill');
    this.name = 'BytesAtFault';
  }
}

export interface AnswerHead {
  /** Of the whole blob. */
  readonly sizeBytes: number;
  /** Bytes at the beginning of the body that were not asked for. */
  readonly skipBytes: number;
}

/**
 * @param wanted the first byte asked for, and the size of the blob if it is known
 * @throws UpstreamRefusal whose message is for the log
 */
export function readHead(
  answer: UpstreamAnswer,
  digest: Digest,
  wanted: { start: number; end: number | undefined; known: number | undefined },
): AnswerHead {
  const { statusCode, headers } = answer;
  if (statusCode === 416 && wanted.start > 0 && headers['content-range'] === `bytes */${wanted.start}`) {
    return { sizeBytes: wanted.start, skipBytes: 0 };
  }
  if (statusCode === 416 && wanted.start > 0) throw new BytesAtFault();
  assertStatus(statusCode, wanted.start > 0 || wanted.end !== undefined);
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw fault(`it encoded the blob as ${encoding}`);
  const named = headers['docker-content-digest'];
  if (named !== undefined && named !== digest) throw fault(`it answered with the blob ${named}`);
  const length = String(headers['content-length'] ?? '');
  if (!/^\d{1,15}$/.test(length)) throw fault('it did not announce the length of the blob');
  const head =
    statusCode === 200
      ? { sizeBytes: Number(length), skipBytes: wanted.start }
      : { sizeBytes: sizeOfRange(String(headers['content-range']), wanted), skipBytes: 0 };
  if (wanted.known !== undefined && wanted.known !== head.sizeBytes) {
    throw fault(`its blob has ${head.sizeBytes} bytes, not ${wanted.known}`);
  }
  return head;
}

function assertStatus(status: number, mayBePart: boolean): void {
  if (status === 200 || (status === 206 && mayBePart)) return;
  const message = `it answered ${status} where ${mayBePart ? 206 : 200} was expected`;
  if (status === 508) throw new UpstreamRefusal('loop', `${message}: it would ask this cache in turn`);
  throw new UpstreamRefusal([401, 403, 404, 416].includes(status) ? 'refusal' : 'fault', message);
}

function sizeOfRange(header: string, wanted: { start: number; end: number | undefined }): number {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(header);
  const [start, end, sizeBytes] = (match ?? []).slice(1).map(Number);
  const expected = Math.min(wanted.end ?? Number.POSITIVE_INFINITY, (sizeBytes ?? 0) - 1);
  if (start !== wanted.start || end !== expected) {
    throw fault('it answered with another range than the one asked for');
  }
  return sizeBytes as number;
}

function fault(message: string): UpstreamRefusal {
  return new UpstreamRefusal('fault', message);
}
