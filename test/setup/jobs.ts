/** An origin with its content caches, and jobs that are waited for. */
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { DirectoryBlobStore } from '../../src/shared/blob-store/directory.ts';
import type { Digest } from '../../src/shared/distribution/digest.ts';
import { type Api, startApi } from '../origin/api/api.ts';
import { startTestCache } from './cache.ts';
import { freePort } from './free-port.ts';
import type { LogLine } from './logger.ts';
import { eventually } from './processes.ts';
import { tempDirectory } from './temp-directory.ts';

interface JobResult {
  readonly contentCacheUUID: string;
  readonly name: string;
  readonly status: string;
  readonly message: string;
  readonly doneBlobs: number;
  readonly totalBlobs?: number;
  readonly doneBytes: number;
  readonly totalBytes?: number;
}

interface JobAnswer {
  readonly id: string;
  readonly status: string;
  readonly parameters: Record<string, unknown>;
  readonly createdBy: string;
  readonly results?: JobResult[];
}

interface RegisteredCache {
  readonly id: string;
  readonly url: string;
  /** Of its pulls. */
  readonly logs: LogLine[];
  /** Those of the digests that it stores. */
  stored(digests: readonly Digest[]): Promise<Digest[]>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

interface JobWorld {
  readonly api: Api;
  /** A real cache, started and registered. */
  register(name: string): Promise<RegisteredCache>;
  submit(action: 'prefetch' | 'purge', parameters: object, more?: object): Promise<JobAnswer>;
  read(id: string): Promise<JobAnswer>;
  /** As soon as it is over. */
  ended(job: JobAnswer): Promise<JobAnswer>;
}

export async function startJobWorld(): Promise<JobWorld> {
  const api = await startApi();
  // A test that starts a cache again leaves it to the next one.
  const closers: (() => Promise<void>)[] = [];
  after(() => Promise.all(closers.map((close) => close())));
  const closing = (close: () => Promise<void>) => void closers.push(close);
  const read = async (id: string): Promise<JobAnswer> => {
    const answer = await api.ask('GET', `/api/v0/jobs/${id}`);
    assert.equal(answer.status, 200, answer.text);
    return answer.body;
  };
  return {
    api,
    read,
    register: async (name) => {
      const listen = { host: '127.0.0.1', port: await freePort() };
      const rootDirectory = await tempDirectory();
      const store = new DirectoryBlobStore(rootDirectory);
      const start = () => startTestCache({ origin: api.origin.url, listen, rootDirectory, closing });
      let running = await start();
      const body = { name, host: running.url };
      const created = await api.ask('POST', '/api/v0/content_caches', { body });
      assert.equal(created.status, 201, created.text);
      return {
        id: created.body.id,
        url: running.url,
        get logs() {
          return running.logs;
        },
        stored: async (digests) => {
          const sizes = await Promise.all(digests.map((digest) => store.stat(digest)));
          return digests.filter((_, index) => sizes[index] !== undefined);
        },
        start: async () => {
          running = await start();
        },
        stop: () => running.close(),
      };
    },
    submit: async (action, parameters, more = {}) => {
      const body = { action: `content-cache-${action}`, parameters, ...more };
      const answer = await api.ask('POST', '/api/v0/jobs', { body });
      assert.equal(answer.status, 202, answer.text);
      return answer.body;
    },
    ended: async (job) => {
      let now = job;
      await eventually(
        'the job is over',
        async () => {
          now = await read(job.id);
          return now.status !== 'waiting' && now.status !== 'running';
        },
        30_000,
      );
      return now;
    },
  };
}
