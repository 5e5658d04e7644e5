/**
 * Many machines of one user behind one address that pull the same image are no retries: nearly all of it comes from the cache. With a
 * real origin and a real cache, counted by their logs.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fetch } from 'undici';
import { startTestCache } from '../setup/cache.ts';
import type { LogLine } from '../setup/logger.ts';
import { pushImage, startTestOrigin } from '../setup/origin.ts';
import { eventually } from '../setup/processes.ts';
import { pullBlobs, pullToken, type SimulatedClient } from '../setup/simulated-client.ts';

const origin = await startTestOrigin({ probeIntervalMs: 10_000 });
const cache = await startTestCache({ origin: origin.url });
const layers = [100, 30_000, 200_000, 4_000, 70_000].map((size) => randomBytes(size));
const client: SimulatedClient = {
  origin,
  repository: 'jane/app',
  user: 'jane',
  password: 'jane-password',
  address: '192.0.2.1',
  userAgent: 'docker/20.10.24',
  retries: 0,
  resumes: false,
  stallMs: 20_000,
};
let digests: string[];

before(async () => {
  await origin.api('POST', '/accounts', { name: 'jane', password: client.password });
  const created = await origin.api('POST', '/content_caches', { name: 'region-us', host: cache.url });
  const { id } = (await created.json()) as { id: string };
  await origin.api('PATCH', '/accounts/jane/settings', { contentCacheUUID: id });
  digests = (await pushImage(origin, 'jane/app', '1', layers)).layers;
});

/** Log lines of blobs that were asked for with a registry token: a cache's fills are not redirected. */
const pulls = () => origin.logs.filter(({ choice }) => choice !== undefined);
const sum = (lines: readonly LogLine[]) => lines.reduce((bytes, line) => bytes + Number(line.bytes ?? 0), 0);

const tokensFor = async (pulls: number) => {
  const tokens: string[] = [];
  for (let pull = 0; pull < pulls; pull += 1) tokens.push(await pullToken(client));
  return tokens;
};

let before_: { pulls: number; cache: number };
beforeEach(() => {
  before_ = { pulls: pulls().length, cache: cache.logs.length };
});

/** The share of the bytes that clients got from the cache, when all of so many requests are logged. */
async function shareOfCache(requests: number): Promise<number> {
  await eventually('every request is logged', () => pulls().length - before_.pulls === requests, 30_000);
  const fromOrigin = sum(pulls().slice(before_.pulls));
  const fromCache = sum(cache.logs.slice(before_.cache).filter(({ msg }) => msg === 'pull'));
  return fromCache / (fromCache + fromOrigin);
}

describe('at least 99 % of the bytes come from the cache', () => {
  it('when 40 machines pull at once, and 20 more one after the other, each twice', async () => {
    const machines = 60;
    // Checking a password takes long, on purpose, and this is not about passwords.
    const tokens = await tokensFor(machines + 20);
    const pull = async () => {
      const pulled = await pullBlobs(client, digests, tokens.pop());
      for (const [index, bytes] of pulled.entries()) assert.ok(bytes.equals(layers[index] as Buffer));
    };
    const together = Array.from({ length: 40 }, pull);
    await Promise.all(together);
    for (let machine = 40; machine < machines; machine += 1) {
      await pull();
      await pull();
    }
    const share = await shareOfCache((machines + 20) * digests.length);
    assert.ok(share >= 0.99, `${share}`);
  });

  it('when they begin one after the other over some seconds, while others still pull', async () => {
    const running: Promise<unknown>[] = [];
    for (const token of await tokensFor(50)) {
      running.push(pullBlobs(client, digests, token));
      await delay(60);
    }
    await Promise.all(running);
    const share = await shareOfCache(50 * digests.length);
    assert.ok(share >= 0.99, `${share}`);
  });

  it('when one of them is interrupted, and one cannot reach the cache', async () => {
    const tokens = await tokensFor(60);
    const pull = () => pullBlobs(client, digests, tokens.pop());
    const redirectOf = async (bearer: string, digest = digests[4]) => {
      const response = await fetch(`${origin.url}/v2/jane/app/blobs/${digest}`, {
        redirect: 'manual',
        headers: { Authorization: `Bearer ${bearer}`, 'User-Agent': client.userAgent },
      });
      await response.arrayBuffer();
      return response;
    };
    const running = Array.from({ length: 30 }, pull);
    const interrupted = (await redirectOf(await pullToken(client), digests[2])).headers.get(
      'location',
    ) as string;
    const stopping = new AbortController();
    const answer = await fetch(interrupted, { signal: stopping.signal });
    stopping.abort();
    await answer.body?.cancel().catch(() => {});
    // It asks twice, and never comes to the cache.
    const cutOff = await pullToken(client);
    await redirectOf(cutOff);
    await delay(1_000);
    assert.equal((await redirectOf(cutOff)).status, 200);
    for (let machine = 0; machine < 30; machine += 1) running.push(pull());
    await Promise.all(running);
    const share = await shareOfCache(60 * digests.length + 3);
    // One blob of the one that is cut off came from the origin, too.
    assert.ok(share >= 0.99, `${share}`);
  });

  it('when a machine fetches them in many pieces, as containerd 2 does, hanging up in the middle of each', async () => {
    const bearer = await pullToken(client);
    const pieceBytes = 10_000;
    const size = layers[2]?.byteLength as number;
    const piece = async (start: number) => {
      const headers = { Range: `bytes=${start}-`, 'User-Agent': 'containerd/2.3.4' };
      const redirect = await fetch(`${origin.url}/v2/jane/app/blobs/${digests[2]}`, {
        redirect: 'manual',
        headers: { Authorization: `Bearer ${bearer}`, ...headers },
      });
      await redirect.arrayBuffer();
      assert.equal(redirect.status, 307, `piece at ${start}`);
      const stopping = new AbortController();
      const location = redirect.headers.get('location') as string;
      const answer = await fetch(location, { headers, signal: stopping.signal });
      let received = 0;
      for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
        received += chunk.byteLength;
        if (received >= pieceBytes && start + pieceBytes < size) break;
      }
      stopping.abort();
    };
    for (let pull = 0; pull < 2; pull += 1) {
      await piece(0);
      const starts = Array.from({ length: size / pieceBytes - 1 }, (_, n) => (n + 1) * pieceBytes);
      for (let at = 0; at < starts.length; at += 3) await Promise.all(starts.slice(at, at + 3).map(piece));
    }
  });
});
