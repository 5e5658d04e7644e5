/** What a cache does when it has nothing yet, or very much: cold blobs, and a start with a million stored ones. */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { type Target, untilDownloaded } from './load.ts';
import { quantile } from './quantile.ts';
import { type OurServers, startOurs } from './servers.ts';
import { type SlowLink, startSlowLink } from './slow-link.ts';

const mebibyte = 1024 * 1024;
const megabitsPerSecond = 50;
const coldBytes = 200 * mebibyte;
const storedBlobs = 1_000_000;

export type PushBytes = (target: Target, bytes: Buffer) => Promise<string>;

/** Measures, and prints a line for each figure. */
export async function measureCold(scratch: string, pushBytes: PushBytes): Promise<void> {
  let link: SlowLink | undefined;
  const ours = await startOurs(scratch, {
    upstreamOf: async (origin) => {
      link = await startSlowLink(origin, Number.POSITIVE_INFINITY);
      return link.url;
    },
  });
  try {
    await ours.redirect(true);
    await firstBytes(ours, pushBytes);
    await coldBlob(ours, link as SlowLink, pushBytes);
    await startWithMany(ours, scratch, pushBytes);
  } finally {
    await ours.stop();
    link?.stop();
  }
}

/** Time to the first byte of a cold blob at the cache, and of the same blob at the origin. */
async function firstBytes(ours: OurServers, pushBytes: PushBytes): Promise<void> {
  const origin: number[] = [];
  const cache: number[] = [];
  for (let round = 0; round < 60; round += 1) {
    const path = await ours.signedPath(await pushBytes(ours.target, randomBytes(64 * 1024)));
    origin.push(await firstByteMs(ours.target.url + path));
    cache.push(await firstByteMs(ours.cacheUrl + path));
  }
  const [direct, cold] = [quantile(origin.slice(10), 0.5), quantile(cache.slice(10), 0.5)];
  console.log(
    `first byte of a cold blob, ms: cache ${cold.toFixed(1)}, origin ${direct.toFixed(1)}, added ${(cold - direct).toFixed(1)}`,
  );
}

/** A hundred clients of one cold blob behind a slow link: what crosses the link, and how long they take. */
async function coldBlob(ours: OurServers, link: SlowLink, pushBytes: PushBytes): Promise<void> {
  const [one, many] = [randomBytes(coldBytes), randomBytes(coldBytes)];
  const [pathOfOne, pathOfMany] = [
    await ours.signedPath(await pushBytes(ours.target, one)),
    await ours.signedPath(await pushBytes(ours.target, many)),
  ];
  link.rate = (megabitsPerSecond * 1e6) / 8;
  const alone = await untilDownloaded(ours.cacheUrl + pathOfOne, 1);
  const before = link.receivedBytes;
  const together = await untilDownloaded(ours.cacheUrl + pathOfMany, 100);
  const received = link.receivedBytes - before;
  link.rate = Number.POSITIVE_INFINITY;
  console.log(
    `200 MiB cold, over ${megabitsPerSecond} Mbit/s: one client ${alone.toFixed(1)} s, 100 clients ${together.toFixed(1)} s (${(together / alone).toFixed(2)} ×), from the origin ${(received / coldBytes).toFixed(3)} × the blob`,
  );
}

async function startWithMany(ours: OurServers, scratch: string, pushBytes: PushBytes): Promise<void> {
  const directory = join(scratch, 'many');
  const held = randomBytes(4096);
  const digest = await pushBytes(ours.target, held);
  const path = await ours.signedPath(digest);
  const nothing = await ours.startAnother(join(scratch, 'empty'), path);
  await fillDirectory(directory, digest, held);
  const much = await ours.startAnother(directory, path);
  console.log(
    `start of a cache until its first answer, ms: ${storedBlobs.toLocaleString('en-US')} blobs ${Math.round(much)}, empty ${Math.round(nothing)}`,
  );
}

/** Blobs as the store lays them out; of all but one, only the name matters. */
async function fillDirectory(directory: string, digest: string, held: Buffer): Promise<void> {
  const shardOf = (hex: string) => join(directory, 'blobs/sha256', hex.slice(0, 2));
  for (let shard = 0; shard < 256; shard += 1) {
    const hex = shard.toString(16).padStart(2, '0');
    await mkdir(shardOf(hex), { recursive: true });
    for (let count = 0; count < storedBlobs / 256; count += 500) {
      const names = Array.from({ length: 500 }, () => hex + randomBytes(31).toString('hex'));
      await Promise.all(names.map((name) => writeFile(join(shardOf(hex), name), '')));
    }
  }
  const hex = digest.slice('sha256:'.length);
  await writeFile(join(shardOf(hex), hex), held);
}

const agent = new Agent({ keepAlive: true });

function firstByteMs(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    get(url, { agent }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${response.statusCode}`));
      let first = 0;
      response.once('data', () => {
        first = performance.now() - startedAt;
      });
      response.once('end', () => resolve(first));
      response.resume();
    }).once('error', reject);
  });
}
