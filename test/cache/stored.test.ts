import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Entries } from '../../src/cache/entries.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { type Digest, digestOf } from '../../src/shared/distribution/digest.ts';
import { startTestCache } from '../setup/cache.ts';
import { commanderOf } from '../setup/cache-commands.ts';
import { startFakeOrigin } from '../setup/fake-origin.ts';
import { keepingLogger } from '../setup/logger.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

describe('what a cache stores', () => {
  it('is told its origin by digest, what was filled just now included', async () => {
    const origin = await startFakeOrigin();
    const cache = await startTestCache({ origin: origin.url, cas: [origin.ca] });
    const ask = commanderOf(cache.url, origin);
    assert.deepEqual(await ask.stored(), { digests: [], more: false });
    const digests = ['one', 'another', 'a third'].map((text) => origin.add(Buffer.from(text))).sort();
    for (const digest of digests) await (await fetch(cache.url + origin.signedPath(digest))).arrayBuffer();
    assert.deepEqual(await ask.stored(), { digests, more: false });
    assert.deepEqual(await ask.stored(digests[0]), { digests: digests.slice(1), more: false });
  });

  it('is many pages where it is much', async () => {
    const { logger } = keepingLogger();
    const entries = new Entries({ directory: await tempDirectory(), clock: systemClock, logger });
    const digests = Array.from({ length: 1_000 }, (_, number) => digestOf(Buffer.from(`${number}`))).sort();
    for (const digest of digests) entries.touch(digest, 1);
    await entries.save();
    const told: Digest[] = [];
    for (let page = entries.digestsAfter('', 400); page.length > 0; ) {
      told.push(...page);
      page = entries.digestsAfter(page.at(-1) as Digest, 400);
    }
    assert.deepEqual(told, digests);
    await entries.close();
  });

  it('is told nobody where there are several origins: it may be of another one', async () => {
    const origin = await startFakeOrigin();
    const other = await startFakeOrigin();
    const cache = await startTestCache({
      origin: origin.url,
      upstreams: [origin, other].map(({ url }) => ({ originHost: url, hosts: [] })),
      cas: [origin.ca, other.ca],
    });
    await assert.rejects(commanderOf(cache.url, origin).stored(), /^Error: 403/);
  });
});
