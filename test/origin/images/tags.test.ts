import assert from 'node:assert/strict';
import { it } from 'node:test';
import { digestOf } from '../../../src/shared/distribution/digest.ts';
import { imageMediaType, pushBlob, startTestOrigin } from '../../setup/origin.ts';

const origin = await startTestOrigin();

it('a tag under 50 writers and 50 readers moves as if one request came after the other (P3)', async () => {
  const repository = 'admin/contended';
  const config = await pushBlob(origin, repository, Buffer.from('{}'));
  const token = await origin.token('admin', origin.adminPassword, `repository:${repository}:pull,push`);
  const tag = `/v2/${repository}/manifests/latest`;
  const writes = new Map<string, { startedAt: number; endedAt: number }>();
  const reads: { digest: string; startedAt: number; endedAt: number }[] = [];

  const write = async (writer: number, round: number) => {
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: imageMediaType,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config, size: 2 },
      layers: [],
      annotations: { writer: `${writer}`, round: `${round}` },
    });
    const startedAt = performance.now();
    const response = await origin.registry('PUT', tag, {
      token,
      body: manifest,
      headers: { 'Content-Type': imageMediaType },
    });
    assert.equal(response.status, 201, await response.text());
    writes.set(digestOf(Buffer.from(manifest)), { startedAt, endedAt: performance.now() });
  };
  const read = async () => {
    const startedAt = performance.now();
    const response = await origin.registry('GET', tag, { token });
    const text = await response.text();
    assert.equal(response.status, 200);
    const digest = digestOf(Buffer.from(text));
    assert.equal(response.headers.get('docker-content-digest'), digest);
    reads.push({ digest, startedAt, endedAt: performance.now() });
  };

  await write(0, 0);
  const repeat = async (times: number, work: (round: number) => Promise<void>) => {
    for (let round = 1; round <= times; round += 1) await work(round);
  };
  await Promise.all([
    ...Array.from({ length: 50 }, (_, writer) => repeat(4, (round) => write(writer, round))),
    ...Array.from({ length: 50 }, () => repeat(12, read)),
  ]);

  assert.equal(reads.length, 600);
  for (const { digest, startedAt, endedAt } of reads) {
    const seen = writes.get(digest);
    assert.ok(seen !== undefined && seen.startedAt < endedAt, 'nothing is read before it was written');
    const later = [...writes.values()].find(
      (other) => other.startedAt > seen.endedAt && other.endedAt < startedAt,
    );
    assert.equal(later, undefined, 'nothing is read that was replaced before the reading began');
  }
});
