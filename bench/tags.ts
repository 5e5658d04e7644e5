/** Pages of a repository with 100,000 tags. */
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import type { Target } from './load.ts';
import { repository } from './servers.ts';

const tagCount = 100_000;

/** Milliseconds from asking for a page of 1,000 tags to having read it; the target's repository holds a manifest. */
export async function tagPageMs(data: string, target: Target): Promise<{ first: number; last: number }> {
  seed(data);
  const list = `${target.url}/v2/${repository}/tags/list`;
  const first = await medianMs(list, target);
  const last = await medianMs(`${list}?last=t${tagCount - 1000 - 1}`, target);
  return { first, last };
}

/** Into the database: pushing so many takes minutes. */
function seed(data: string): void {
  const database = new BetterSqlite3(join(data, 'dtr.db'));
  try {
    const manifest = database
      .prepare(
        `SELECT manifests.repository_id AS id, manifests.digest FROM manifests
         JOIN repositories ON repositories.id = manifests.repository_id WHERE repositories.name = ?`,
      )
      .get(repository) as { id: string; digest: string };
    const insert = database.prepare(
      'INSERT OR IGNORE INTO tags (repository_id, name, digest, created_at, updated_at) VALUES (?, ?, ?, 0, 0)',
    );
    database.transaction(() => {
      for (let tag = 0; tag < tagCount; tag += 1) {
        insert.run(manifest.id, `t${String(tag).padStart(5, '0')}`, manifest.digest);
      }
    })();
  } finally {
    database.close();
  }
}

async function medianMs(url: string, target: Target): Promise<number> {
  const values: number[] = [];
  for (let round = 0; round < 50; round += 1) {
    const start = performance.now();
    const response = await fetch(url, { headers: target.headers });
    const { tags } = (await response.json()) as { tags: string[] };
    values.push(performance.now() - start);
    if (tags.length !== 1000) throw new Error(`${tags.length} tags`);
  }
  return values.sort((one, other) => one - other)[values.length / 2] as number;
}
