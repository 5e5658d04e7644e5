/** Lists and their pages: tags, referrers, catalog (threats E13, E18). */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import BetterSqlite3 from 'better-sqlite3';
import createKnex from 'knex';
import { listReferrers } from '../../../src/origin/images/referrers.ts';
import { listTags } from '../../../src/origin/images/tags.ts';
import { digestOf } from '../../../src/shared/distribution/digest.ts';
import { imageMediaType, pushImage, startTestOrigin } from '../../setup/origin.ts';

const origin = await startTestOrigin();
for (const name of ['jane', 'eve']) {
  await origin.api('POST', '/accounts', { name, password: `${name}-password` });
}

async function errorCode(response: Response): Promise<string> {
  return ((await response.json()) as { errors: { code: string }[] }).errors[0]?.code ?? '';
}

function nextOf(response: Response): string | undefined {
  return /^<(.+)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1];
}

/** Follows the links from page to page. */
async function pages<T>(
  path: string,
  read: (page: Response) => Promise<T>,
  token?: string,
): Promise<{ pages: T[]; links: string[] }> {
  const found: T[] = [];
  const links: string[] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const response: Response = await origin.registry('GET', next, token === undefined ? {} : { token });
    assert.equal(response.status, 200);
    found.push(await read(response));
    next = nextOf(response);
    if (next !== undefined) links.push(next);
  }
  return { pages: found, links };
}

describe('tags', async () => {
  const { digest } = await pushImage(origin, 'admin/tagged', 'a', [Buffer.from('same')]);
  const database = new BetterSqlite3(join(origin.dataDirectory, 'dtr.db'));
  const { id } = database.prepare("SELECT id FROM repositories WHERE name = 'admin/tagged'").get() as {
    id: string;
  };
  const insert = database.prepare('INSERT OR IGNORE INTO tags VALUES (?, ?, ?, 0, 0)');
  database.transaction(() => {
    for (let tag = 0; tag < 100_000; tag += 1) insert.run(id, `t${String(tag).padStart(6, '0')}`, digest);
  })();
  database.close();
  const list = '/v2/admin/tagged/tags/list';
  const tagsOf = async (page: Response) => ((await page.json()) as { tags: string[] }).tags;

  it('without n come a thousand at a time, and the links lead through all of them once, in order', async () => {
    const token = await origin.token('admin', origin.adminPassword, 'repository:admin/tagged:pull');
    const all = await pages(list, tagsOf, token);
    assert.deepEqual(
      [...new Set(all.pages.map((page) => page.length))],
      [1000, 1],
      '100,001 tags: a hundred full pages and one more',
    );
    const tags = all.pages.flat();
    assert.equal(new Set(tags).size, 100_001);
    assert.deepEqual(tags, tags.toSorted());
  });

  it('more than a thousand asked for are clamped, in the link too', async () => {
    for (const n of ['1001', '9007199254740993', '9'.repeat(400)]) {
      const page = await origin.registry('GET', `${list}?n=${n}`);
      assert.equal(nextOf(page), `${list}?n=1000&last=t000998`);
      assert.equal((await tagsOf(page)).length, 1000);
    }
  });

  it('n=0 is an empty list without a link', async () => {
    const page = await origin.registry('GET', `${list}?n=0`);
    assert.deepEqual(await tagsOf(page), []);
    assert.equal(page.headers.get('link'), null);
  });

  for (const n of ['-1', 'x', '', '1.5', '1e3', '0x10', 'NaN']) {
    it(`n=${n} is refused: 400 PAGINATION_NUMBER_INVALID`, async () => {
      const page = await origin.registry('GET', `${list}?n=${n}`);
      assert.equal(page.status, 400);
      assert.equal(await errorCode(page), 'PAGINATION_NUMBER_INVALID');
    });
  }

  it('begin after last, whether that is a tag or not, also when it holds what is special in SQL or in a URL', async () => {
    for (const [last, first] of [
      ['t000010', 't000011'],
      ['t00001', 't000010'],
      ["t' OR 1=1 --", 't000000'],
      ['%', 'a'],
      ['&n=5', 'a'],
    ] as const) {
      const page = await origin.registry('GET', `${list}?n=1&last=${encodeURIComponent(last)}`);
      assert.deepEqual(await tagsOf(page), [first]);
    }
    const end = await origin.registry('GET', `${list}?n=5&last=t099999`);
    assert.deepEqual([await tagsOf(end), end.headers.get('link')], [[], null]);
  });

  it('are found by index, the last page like the first, and so are referrers', async () => {
    const queries = createKnex({
      client: 'better-sqlite3',
      connection: { filename: join(origin.dataDirectory, 'dtr.db') },
      useNullAsDefault: true,
    });
    try {
      const asked: { sql: string; bindings: string[] }[] = [];
      queries.on('query', (query) => asked.push(query));
      await listTags(queries, id, { last: 't099', count: 1001 });
      await listReferrers(queries, id, digest, { last: 'sha256:1' }).next();
      const plans: string[][] = [];
      for (const { sql, bindings } of asked.splice(0)) {
        const steps = (await queries.raw(`EXPLAIN QUERY PLAN ${sql}`, bindings)) as { detail: string }[];
        plans.push(steps.map(({ detail }) => detail.replace(/ USING .*INDEX \S+/, '')));
      }
      assert.deepEqual(
        plans,
        [
          ['SEARCH tags (repository_id=? AND name>?)'],
          ['SEARCH manifests (repository_id=? AND subject_digest=? AND digest>?)'],
        ],
        'one step each: nothing is scanned or sorted',
      );
    } finally {
      await queries.destroy();
    }
  });

  it('of a repository that does not exist: 404 NAME_UNKNOWN', async () => {
    const page = await origin.registry('GET', '/v2/admin/none/tags/list');
    assert.deepEqual([page.status, await errorCode(page)], [404, 'NAME_UNKNOWN']);
  });
});

describe('the catalog', async () => {
  await pushImage(origin, 'admin/closed', '1', [Buffer.from('x')]);
  await pushImage(origin, 'admin/open', '1', [Buffer.from('x')]);
  await origin.api('PATCH', '/repositories/admin/open', { visibility: 'public' });
  for (const name of ['jane/a', 'jane/b', 'jane/c']) await pushImage(origin, name, '1', [Buffer.from('x')]);
  const namesOf = async (page: Response) => ((await page.json()) as { repositories: string[] }).repositories;
  const asJane = () => origin.token('jane', 'jane-password', 'registry:catalog:*');

  it('lists what its reader may pull and nothing else, by pages', async () => {
    const all = await pages('/v2/_catalog?n=2', namesOf, await asJane());
    assert.deepEqual(all.pages, [
      ['admin/open', 'jane/a'],
      ['jane/b', 'jane/c'],
    ]);
    assert.deepEqual(all.links, ['/v2/_catalog?n=2&last=jane%2Fa']);
  });

  it('lists everything to an admin', async () => {
    const { pages: all } = await pages('/v2/_catalog', namesOf);
    assert.deepEqual(all, [
      ['admin/closed', 'admin/open', 'admin/signed', 'admin/tagged', 'jane/a', 'jane/b', 'jane/c'],
    ]);
  });

  it('is clamped, and n=0 and a wrong n are answered as for tags', async () => {
    const token = await asJane();
    const empty = await origin.registry('GET', '/v2/_catalog?n=0', { token });
    assert.deepEqual([await namesOf(empty), empty.headers.get('link')], [[], null]);
    const wrong = await origin.registry('GET', '/v2/_catalog?n=-1', { token });
    assert.deepEqual([wrong.status, await errorCode(wrong)], [400, 'PAGINATION_NUMBER_INVALID']);
    const many = await origin.registry('GET', '/v2/_catalog?n=99999999999999999999', { token });
    assert.equal((await namesOf(many)).length, 4);
  });

  it('is closed to who did not sign in, and to a token for something else', async () => {
    const anonymous = await origin.token(undefined, '', 'registry:catalog:*');
    const other = await origin.token('jane', 'jane-password', 'repository:jane/a:pull');
    for (const token of [anonymous, other]) {
      const response = await origin.registry('GET', '/v2/_catalog', { token });
      assert.deepEqual([response.status, await errorCode(response)], [401, 'UNAUTHORIZED']);
      assert.match(response.headers.get('www-authenticate') ?? '', /scope="registry:catalog:\*"/);
    }
  });
});

describe('referrers', async () => {
  const { digest: subject, manifest } = await pushImage(origin, 'admin/signed', '1', [Buffer.from('x')]);
  const config = (JSON.parse(manifest) as { config: object }).config;
  const refer = async (repository: string, more: object) => {
    const body = JSON.stringify({
      schemaVersion: 2,
      mediaType: imageMediaType,
      config,
      layers: [],
      subject: { mediaType: imageMediaType, digest: subject, size: manifest.length },
      ...more,
    });
    const response = await origin.registry(
      'PUT',
      `/v2/${repository}/manifests/${digestOf(Buffer.from(body))}`,
      {
        body,
        headers: { 'Content-Type': imageMediaType },
      },
    );
    assert.equal(response.status, 201);
    assert.equal(response.headers.get('oci-subject'), subject);
    return response.headers.get('docker-content-digest') as string;
  };
  type Index = {
    manifests: { digest: string; artifactType: string; annotations?: Record<string, string> }[];
  };
  const indexOf = async (page: Response) => (await page.json()) as Index;
  const path = `/v2/admin/signed/referrers/${subject}`;
  const expected: string[] = [];
  for (let note = 0; note < 20; note += 1) {
    const artifactType = note % 2 === 0 ? 'application/example+even' : 'application/example odd';
    const annotations = { note: String(note), text: randomBytes(250_000).toString('hex') };
    expected.push(await refer('admin/signed', { artifactType, annotations }));
  }

  it('come in pages of at most 4 MiB, each once, the annotations with them', async () => {
    const sizes: number[] = [];
    const all = await pages(path, async (page) => {
      assert.equal(page.headers.get('content-type'), 'application/vnd.oci.image.index.v1+json');
      const body = await page.arrayBuffer();
      sizes.push(body.byteLength);
      return JSON.parse(Buffer.from(body).toString()) as Index;
    });
    assert.equal(all.pages.length, 3);
    assert.ok(sizes.every((sizeBytes) => sizeBytes <= 4 * 1024 * 1024));
    const manifests = all.pages.flatMap((page) => page.manifests);
    assert.deepEqual(manifests.map((one) => one.digest).toSorted(), expected.toSorted());
    assert.ok(manifests.every((one) => one.annotations?.text?.length === 500_000));
  });

  it('of one artifact type only, said so in OCI-Filters-Applied, the filter kept from page to page', async () => {
    for (const artifactType of ['application/example+even', 'application/example odd']) {
      const all = await pages(`${path}?artifactType=${encodeURIComponent(artifactType)}`, async (page) => {
        assert.equal(page.headers.get('oci-filters-applied'), 'artifactType');
        return indexOf(page);
      });
      assert.equal(all.pages.length, 2);
      const manifests = all.pages.flatMap((page) => page.manifests);
      assert.equal(manifests.length, 10);
      assert.ok(manifests.every((one) => one.artifactType === artifactType));
    }
    const unfiltered = await origin.registry('HEAD', path);
    assert.equal(unfiltered.headers.get('oci-filters-applied'), null);
  });

  it('of an unknown digest, an unknown type or an unknown repository: an empty index', async () => {
    for (const empty of [
      `/v2/admin/signed/referrers/${digestOf(Buffer.from('other'))}`,
      `${path}?artifactType=none`,
      `/v2/admin/none/referrers/${subject}`,
    ]) {
      const response = await origin.registry('GET', empty);
      assert.equal(response.status, 200);
      assert.deepEqual(await response.json(), {
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.index.v1+json',
        manifests: [],
      });
    }
  });

  it('of what is no digest: 400 DIGEST_INVALID', async () => {
    for (const wrong of ['latest', 'sha256:1234', `${subject}0`]) {
      const response = await origin.registry('GET', `/v2/admin/signed/referrers/${wrong}`);
      assert.deepEqual([response.status, await errorCode(response)], [400, 'DIGEST_INVALID']);
    }
  });

  it('in another repository are not shown, nor to who may not pull (E18)', async () => {
    await pushImage(origin, 'eve/own', '1', [Buffer.from('x')]);
    const other = await origin.registry('GET', `/v2/eve/own/referrers/${subject}`);
    assert.deepEqual((await indexOf(other)).manifests, []);
    const token = await origin.token('eve', 'eve-password', 'repository:admin/signed:pull');
    assert.equal((await origin.registry('GET', path, { token })).status, 401);
  });

  it('whose annotations alone would fill more than a page is listed without them', async () => {
    const body = JSON.stringify({
      schemaVersion: 2,
      mediaType: imageMediaType,
      config,
      layers: [],
      subject: { mediaType: imageMediaType, digest: subject, size: manifest.length },
      artifactType: 'application/growing',
      annotations: { numbers: 'N' },
    }).replace('"N"', `[${Array.from({ length: 400_000 }, () => '1e20').join(',')}]`);
    const put = await origin.registry('PUT', `/v2/admin/signed/manifests/growing`, {
      body,
      headers: { 'Content-Type': imageMediaType },
    });
    assert.equal(put.status, 201);
    const page = await origin.registry('GET', `${path}?artifactType=application/growing`);
    const { manifests } = await indexOf(page);
    assert.deepEqual(manifests, [
      {
        mediaType: imageMediaType,
        digest: put.headers.get('docker-content-digest'),
        size: body.length,
        artifactType: 'application/growing',
      },
    ]);
    await origin.registry('DELETE', `/v2/admin/signed/manifests/${manifests[0]?.digest}`);
  });

  it('that is deleted is gone from the list', async () => {
    const gone = expected.pop() as string;
    assert.equal((await origin.registry('DELETE', `/v2/admin/signed/manifests/${gone}`)).status, 202);
    const all = await pages(path, indexOf);
    assert.ok(!all.pages.flatMap((page) => page.manifests).some((one) => one.digest === gone));
  });
});
