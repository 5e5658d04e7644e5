/** What a job does at one content cache, a step at a time, so that it can be watched, canceled and gone on with. */
import type { CacheAddress, CacheAnswer } from '../content-caches/cache-client.ts';
import { troubleOfError } from '../content-caches/findings.ts';
import type { Progress } from './job-records.ts';

export interface Step {
  readonly progress: Progress;
  /** `again`: there is more to be done at once; `wait`: it is under way at the cache. */
  readonly next: 'again' | 'wait' | 'done';
}

/** Begins anew whenever a job does: a cache that has done it already says so. */
export interface TargetWork {
  /** @throws StepFailed; errors of the network */
  step(cache: CacheAddress, signal: AbortSignal): Promise<Step>;
}

/** Why a step did not succeed, in words that begin with "it", the cache. `isFinal`: another try would not help. */
export class StepFailed extends Error {
  readonly isFinal: boolean;

  constructor(message: string, options: { isFinal: boolean }) {
    super(message);
    this.name = 'StepFailed';
    this.isFinal = options.isFinal;
  }
}

export const nothingDone: Progress = {
  doneBlobs: 0,
  totalBlobs: undefined,
  doneBytes: 0,
  totalBytes: undefined,
};

/** The body of a success. @throws StepFailed */
export function bodyOf({ status, body }: CacheAnswer): unknown {
  if (status === 404 || status === 405) {
    throw new StepFailed('it is of an older version, which does not know this command', { isFinal: true });
  }
  if (status !== 200 && status !== 202) {
    throw new StepFailed(`it answered ${status} to the command`, { isFinal: false });
  }
  return JSON.parse(body.toString('utf8'));
}

export function describeFailure(error: unknown): { message: string; isFinal: boolean } {
  return error instanceof StepFailed ? error : { message: troubleOfError(error).message, isFinal: false };
}
