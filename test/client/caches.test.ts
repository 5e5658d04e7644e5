/** Looking after content caches: where pulls go, and what caches have. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import BetterSqlite3 from 'better-sqlite3';
import { ensureCertificate } from '../../src/origin/certificates.ts';
import { startTestCache } from '../setup/cache.ts';
import { pushImage, startTestOrigin } from '../setup/origin.ts';
import { tempDirectory } from '../setup/temp-directory.ts';
import { commandsAt } from './program.ts';

const origin = await startTestOrigin({ probeIntervalMs: 60_000 });
const cache = await startTestCache({ origin: origin.url });
const { run, dtr, said } = await commandsAt(origin);
await dtr(`cache add region-us ${cache.url}`);
const { digest } = await pushImage(origin, 'admin/app', '1.4', [Buffer.from('a layer')]);

describe('dtr cache', () => {
  it('tells how a cache is, and what it did', async () => {
    assert.match(await dtr('cache probe region-us'), /^Name +region-us\nHealth +healthy\nSince +2\S+\n/);
    assert.match(
      await dtr('cache health'),
      /^NAME +HEALTH +SINCE +ANSWERED IN +FREE +STORED +LAST TROUBLE\nregion-us +healthy +\S+ +\d+ ms /,
    );
    assert.equal(
      await dtr('cache usage region-us --by repository --from 7d'),
      'REPOSITORY  REDIRECTS  HITS  MISSES  ERRORS  SERVED  FETCHED  SAVED\n',
    );
  });

  it('disables and enables one, and gives the origin its CA', async () => {
    const file = join(await tempDirectory(), 'ca.pem');
    const { ca } = await ensureCertificate(await tempDirectory(), ['localhost'], Date.now());
    await writeFile(file, ca as string);
    assert.match(await dtr('cache disable region-us'), /^Enabled +no$/m);
    assert.match(await dtr('cache enable region-us'), /^Enabled +yes$/m);
    assert.match(await dtr(`cache update region-us --ca-file ${file}`), /^CA +its own$/m);
    assert.doesNotMatch(await dtr('cache update region-us --no-ca-file'), /^CA/m);
  });
});

describe('dtr cache users', () => {
  it('tells who chose one, and what else leads to it before it is removed', async () => {
    await dtr('cache add region-eu http://203.0.113.8:5000');
    assert.equal(await dtr('cache users region-eu -q'), '');
    await dtr('org add acme');
    await dtr('settings set --for acme --cache region-eu');
    await dtr('settings set --cache region-eu');
    assert.equal(
      await dtr('cache users region-eu'),
      'NAME   FULL NAME  KIND          ACTIVE\nacme              organization  yes\nadmin             user          yes\n',
    );
    await dtr('rule add 10.30.0.0/16 region-eu');
    assert.equal(await dtr('rule list --cache region-eu -q'), '10.30.0.0/16\n');
    assert.equal(await dtr('rule list --cache region-us -q'), '');
    await dtr('prefetch-rule add acme/* --cache region-eu');
    await dtr('system set --default-cache region-eu');
    assert.deepEqual(await run('cache remove region-eu'), {
      code: 2,
      out: '',
      said: [
        "region-eu is the system's default",
        'region-eu is chosen by acme, admin',
        'region-eu serves by network rules 10.30.0.0/16',
        'region-eu is named by prefetch rules for acme/*:*',
        'dtr: --yes is needed, where nobody can be asked',
      ],
    });
    assert.equal(await said('cache remove region-eu --yes'), 'the content cache region-eu is removed');
    assert.match(await dtr('settings show'), /automatic/);
    const [id] = (await dtr('prefetch-rule list -q')).split('\n');
    await said(`prefetch-rule remove ${id}`);
  });
});

describe('dtr rule and dtr why', () => {
  it('send a network to a cache, and tell that they do', async () => {
    assert.match(
      await dtr(['rule', 'add', '10.20.0.0/16', 'region-us', '--comment', 'Rome']),
      /^Network {2}10\.20\.0\.0\/16\nCache {4}region-us\nComment {2}Rome\nId .+\n$/,
    );
    assert.match(await dtr('rule add 10.20.7.0/24 none'), /^Cache +none$/m);
    assert.equal(await dtr('rule list -q'), '10.20.0.0/16\n10.20.7.0/24\n');
    assert.match(
      await dtr('rule update 10.20.7.0/24 --network 10.20.8.0/24'),
      /^Network +10\.20\.8\.0\/24$/m,
    );
    assert.equal(
      await dtr('why admin/app --address 10.20.1.7'),
      [
        'Repository  admin/app',
        'User        admin',
        'Address     10.20.1.7',
        'Served by   region-us',
        'Because of  network-rule',
        "  1.        the user's setting is automatic: rules and defaults decide",
        '  2.        the rule for 10.20.0.0/16 says region-us',
        '',
      ].join('\n'),
    );
    assert.equal(await dtr('why admin/app --address 10.20.8.1 --anonymous -q'), 'the origin\n');
    assert.match(await dtr('repo update admin/app --no-redirect'), /^Redirected +no$/m);
    assert.match(await dtr('why admin/app --address 10.20.1.7'), /^Because of +repository$/m);
    await dtr('repo update admin/app --redirect');
    assert.match(await dtr('system set --default-cache region-us'), /^Default cache +region-us$/m);
    assert.match(await dtr('why admin/app --address 192.0.2.1'), /^Because of +system-default$/m);
    assert.match(await dtr('system set --default-cache none'), /^Default cache +none$/m);
    assert.equal(await said('rule remove 10.20.8.0/24'), 'the rule for 10.20.8.0/24 is removed');
    assert.equal((await run('rule remove 10.20.8.0/24')).code, 4);
  });
});

describe('dtr rule list', () => {
  it('reads on where a page of the API ends', async () => {
    const database = new BetterSqlite3(join(origin.dataDirectory, 'dtr.db'));
    const networks = Array.from({ length: 1500 }, (_, n) => `2001:db8:${(n + 4096).toString(16)}::/48`);
    const insert = database.prepare(
      "INSERT INTO network_rules (id, network, comment, created_at) VALUES (?, ?, '', 0)",
    );
    database.transaction(() => {
      for (const network of networks) insert.run(randomUUID(), network);
    })();
    database.close();
    const listed = (await dtr('rule list -q')).trimEnd().split('\n');
    assert.deepEqual(
      listed.filter((network) => network.startsWith('2001:')),
      networks.toSorted(),
    );
  });
});

describe('purges and prefetches', () => {
  it('are jobs that can be waited for', async () => {
    const prefetch = await run('cache prefetch admin/app 1.4 --cache region-us --wait');
    assert.equal(prefetch.code, 0, prefetch.said.join('\n'));
    assert.match(prefetch.out, /^Status +done$/m);
    assert.match(prefetch.out, /^ {2}region-us +done, 2 of 2 blobs \(/m);
    assert.match(prefetch.said.at(-1) as string, /^region-us: done, 2 of 2 blobs/);
    assert.match(
      await dtr('job list --action prefetch'),
      /^ID +ACTION +OF +STATUS +BY +UPDATED\n\S+ {2}content-cache-prefetch {2}admin\/app 1\.4 {2}done +admin /,
    );
    const id = (await dtr(`cache purge --everything --quiet`)).trim();
    assert.match(await dtr(`job wait ${id}`), /^ {2}region-us +done, 2 blobs/m);
    assert.notEqual(await dtr(`job logs ${id}`), '');
    await said(`job cancel ${id}`);
    assert.equal(await said(`job remove ${id}`), `the job ${id} is removed`);
    assert.equal((await run(`job show ${id}`)).code, 4);
    assert.deepEqual(await run(`cache purge --everything --digest ${digest}`), {
      code: 2,
      out: '',
      said: ['dtr: one of --digest, --repository, --unreferenced and --everything expected'],
    });
  });

  it('follow pushes by rules', async () => {
    const rule = await dtr('prefetch-rule add admin/* --tag v* --cache region-us --platform linux/amd64');
    assert.match(
      rule,
      /^Id .+\nRepository +admin\/\*\nTag +v\*\nCaches +region-us\nPlatforms +linux\/amd64\nEnabled +yes\n$/,
    );
    const id = (await dtr('prefetch-rule list -q')).trim();
    assert.match(await dtr(`prefetch-rule update ${id} --all-caches --tag *`), /^Caches +all$/m);
    assert.match(await dtr(`prefetch-rule disable ${id}`), /^Enabled +no$/m);
    assert.equal(await said(`prefetch-rule remove ${id}`), `the prefetch rule ${id} is removed`);
  });
});
