/** What the commands do at a real origin, and what they print. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pushImage, startTestOrigin } from '../setup/origin.ts';
import { commandsAt } from './program.ts';

const origin = await startTestOrigin();
const { run, dtr, said } = await commandsAt(origin);

describe('dtr cache', () => {
  it('registers a cache, shows, changes and removes it, by name or id', async () => {
    const added = JSON.parse(await dtr('cache add region-us http://203.0.113.7:5000 --json')) as {
      id: string;
    };
    assert.equal(
      await dtr('cache list'),
      `NAME       HOST                     ENABLED  HEALTH  ID\nregion-us  http://203.0.113.7:5000  yes              ${added.id}\n`,
    );
    assert.equal(
      await dtr('cache update REGION-US --host https://cache.example.com'),
      `Name     region-us\nHost     https://cache.example.com\nEnabled  yes\nHealth\nId       ${added.id}\n`,
    );
    assert.deepEqual(JSON.parse(await dtr(`cache show ${added.id} --json`)), {
      ...added,
      host: 'https://cache.example.com',
    });
    assert.deepEqual(await run('cache remove region-us'), {
      code: 2,
      out: '',
      said: ['dtr: --yes is needed, where nobody can be asked'],
    });
    assert.equal(await said('cache remove region-us --yes'), 'the content cache region-us is removed');
    assert.deepEqual(await run('cache remove region-us --yes'), {
      code: 4,
      out: '',
      said: [`dtr: there is no content cache region-us at ${origin.url}`, '     see: dtr cache list'],
    });
  });
});

describe('dtr settings', () => {
  it('chooses a cache by its name, for oneself and for others', async () => {
    await dtr('cache add region-eu http://203.0.113.8:5000');
    await dtr('org add settled');
    assert.equal(await dtr('settings show --quiet'), 'automatic\n');
    assert.equal(
      await dtr('settings set --cache region-eu'),
      'Content cache   region-eu\nCreate on push  inherit\n',
    );
    assert.equal(
      await dtr('settings set --for settled --cache region-eu --create-on-push no'),
      'Content cache   region-eu\nCreate on push  no\n',
    );
    assert.equal(await dtr('settings set --cache none --quiet'), 'none\n');
    assert.equal(await dtr('settings show --for settled --quiet'), 'region-eu\n');
    assert.equal((await run('settings set --cache nowhere')).code, 4);
  });
});

describe('dtr user', () => {
  it('makes users and service accounts, changes and removes them', async () => {
    await dtr(['user', 'add', 'jane', '--full-name', 'Jane Doe', '--password-stdin'], {
      input: 'a long password\n',
    });
    assert.match(
      await dtr('user add ci --service'),
      /^Name {7}ci\nFull name\nKind {7}service account\nAdmin {6}no\nActive {5}yes\nId {9}[0-9a-f-]{36}\n$/,
    );
    assert.equal(
      await dtr('user list j'),
      'NAME  FULL NAME  KIND  ADMIN  ACTIVE\njane  Jane Doe   user  no     yes\n',
    );
    assert.equal(await dtr('user list --quiet'), 'admin\nci\njane\n');
    assert.match(await dtr('user update jane --admin'), /^Admin {6}yes$/m);
    assert.match(await dtr('user update jane --no-admin'), /^Admin {6}no$/m);
    assert.match(await dtr('user deactivate jane'), /^Active {5}no$/m);
    assert.match(await dtr('user activate jane'), /^Active {5}yes$/m);
    assert.deepEqual(await run('user password jane --password-stdin', { input: 'another one\n' }), {
      code: 0,
      out: '',
      said: ['the password of jane is changed'],
    });
    const own = await run('user password --password-stdin -q', {
      as: 'jane:another one',
      input: 'another one\nand one more\n',
    });
    assert.deepEqual(own, { code: 0, out: '', said: [] });
    assert.equal((await run('whoami', { as: 'jane:another one' })).code, 3);
    assert.equal(await said('user remove jane --yes'), 'the user jane is removed');
    assert.equal((await run('user show jane')).code, 4);
  });
});

describe('dtr org', () => {
  it('makes organizations, with members, teams, and what the teams may do', async () => {
    await dtr('user add joe --password-stdin', { input: 'a long password' });
    await dtr(['org', 'add', 'acme', '--full-name', 'Acme Ltd']);
    assert.equal(
      await dtr('org member add acme joe'),
      'Name       joe\nFull name\nOwner      no\nActive     yes\n',
    );
    assert.match(await dtr('org member set-owner acme joe'), /^Owner {6}yes$/m);
    assert.match(await dtr('org member set-owner acme joe no'), /^Owner {6}no$/m);
    assert.equal(await dtr('org list --member joe'), 'NAME  FULL NAME  OWNER\nacme  Acme Ltd   no\n');

    assert.match(
      await dtr(['org', 'team', 'add', 'acme', 'web', '--description', 'The shop']),
      /^Name +web\nMembers +0\nDescription +The shop\n/,
    );
    await dtr('org team member add acme web joe');
    assert.equal(await dtr('org team member list acme web -q'), 'joe\n');
    assert.equal(await dtr('org team list acme'), 'NAME  MEMBERS  DESCRIPTION\nweb   1        The shop\n');

    assert.equal(await dtr('org access grant acme web read-write'), 'Team    web\nAccess  read-write\n');
    assert.equal(await dtr('org access list acme'), 'TEAM  ACCESS\nweb   read-write\n');
    assert.equal(
      await said('org access revoke acme web'),
      'the team web has no access to acme as a whole any more',
    );
    assert.equal(
      await said('org team member remove acme web joe'),
      'joe is not in the team web of acme any more',
    );
    assert.equal(await said('org member remove acme joe'), 'joe is no member of acme any more');
    assert.equal(await said('org team remove acme web -y'), 'the team web of acme is removed');
    assert.equal(await said('org remove acme -y'), 'the organization acme is removed');
  });
});

describe('dtr repo', () => {
  it('makes repositories, and says who may do what in them', async () => {
    await dtr('user add ann --password-stdin', { input: 'a long password' });
    await dtr('org add shop');
    await dtr('org team add shop dev');
    assert.match(
      await dtr([
        'repo',
        'create',
        'shop/web',
        '--description',
        'The web shop',
        '--about',
        '# Shop\n\nSells things.',
      ]),
      /^Name +shop\/web\nVisibility +private\nPulls +0\nPushes +0\nDescription +The web shop\nImmutable tags +no\nRedirected +yes\nId .*\nAbout +# Shop\n\n +Sells things\.\n$/,
    );
    assert.match(await dtr('repo update shop/web --public --immutable-tags'), /^Visibility {6}public$/m);
    assert.equal(
      await said('repo access grant shop/web read-write --team dev'),
      'the team dev has read-write access to shop/web',
    );
    await said('repo access grant shop/web read-only --user ann');
    assert.equal(
      await dtr('repo access shop/web'),
      'KIND  NAME  ACCESS\nteam  dev   read-write\nuser  ann   read-only\n',
    );
    assert.equal(await dtr('org team access shop dev'), 'REPOSITORY  ACCESS\nshop/web    read-write\n');
    assert.equal(
      await dtr('repo access show shop/web ann'),
      'Kind    user\nName    ann\nAccess  read-only\n',
    );
    await said('repo access revoke shop/web --team dev');
    assert.equal(await dtr('repo access shop/web -q'), 'ann\n');
    assert.equal(await dtr('repo list shop -q'), 'shop/web\n');
    assert.equal(await dtr('search web'), 'NAME      DESCRIPTION\nshop/web  The web shop\n');
    assert.equal(await said('repo remove shop/web --yes'), 'the repository shop/web is removed');
    assert.equal((await run('repo remove shop/web --yes')).code, 4);
  });

  it('lists and removes tags and manifests', async () => {
    const { digest } = await pushImage(origin, 'admin/app', '1.4', [Buffer.from('a layer')]);
    await pushImage(origin, 'admin/app', '2.0', [Buffer.from('another')]);
    assert.match(
      await dtr('repo tags admin/app'),
      /^TAG {2}DIGEST +SIZE +PLATFORMS +PUSHED +BY\n1\.4 {2}sha256:[0-9a-f]{64} {2}\d+ bytes {2}linux\/amd64 {2}\S+[+-]\d\d:\d\d {2}admin\n2\.0 /,
    );
    assert.equal(await dtr('repo tags list admin/app --prefix 1 --quiet'), '1.4\n');
    assert.match(await dtr('repo manifests show admin/app 1.4'), /^Tags {7}1\.4$/m);
    assert.equal(await said('repo tags remove admin/app 1.4 -y'), 'the tag 1.4 of admin/app is removed');
    assert.equal(
      await said(`repo manifests remove admin/app ${digest} -y`),
      `${digest} of admin/app is removed`,
    );
    assert.equal(await dtr('repo tags admin/app -q'), '2.0\n');
  });
});

describe('dtr token', () => {
  it('makes a token that is shown once, and revokes it by the beginning of its id', async () => {
    await dtr('user add bot --service');
    const secret = (await dtr('token create --for bot --label deploy --read-only --expires 90d -q')).trim();
    const as = `bot:${secret}`;
    assert.equal(await dtr('whoami -q', { as }), 'bot\n');
    assert.match(
      await dtr('token list --for bot'),
      /^ID +LABEL +ACCESS +ACTIVE +LAST USED +EXPIRES\n[0-9a-f]{12} {2}deploy {2}read-only {2}yes +\S+ +\S+\n$/,
    );
    const made = await dtr('token create --label laptop --json');
    const { hashedToken } = JSON.parse(made) as { hashedToken: string };
    assert.match(await dtr(`token update ${hashedToken.slice(0, 12)} --no-active`), /^Active +no$/m);
    assert.equal(
      await said(`token revoke ${hashedToken.slice(0, 12)}`),
      `the token ${hashedToken.slice(0, 12)} is revoked`,
    );
    assert.equal((await run(`token show ${hashedToken}`)).code, 4);
    assert.equal(await said('token prune --for bot --yes'), '1 tokens of bot are revoked');
    assert.equal((await run('whoami', { as })).code, 3);
  });
});

describe('dtr system and dtr events', () => {
  it('shows and changes the settings', async () => {
    assert.match(await dtr('system set --anonymous-pulls no --create-on-push yes'), /^Anonymous pulls +no$/m);
    assert.match(await dtr('system show'), /^Create on push +yes$/m);
    assert.match(await dtr('system version -q'), /^\d+\.\d+\.\d+\n$/);
  });

  it('shows who did what', async () => {
    await dtr('org add trail');
    assert.match(
      await dtr('events --object trail --limit 5'),
      /^TIME +WHO +WHAT +OF +TO +OUTCOME +FROM\n\S+ {2}admin {2}CREATE {2}organization trail +done +127\.0\.0\.1 \(api\)\n$/,
    );
    const { events } = JSON.parse(await dtr('events --after 1h --limit 2 --json')) as { events: unknown[] };
    assert.equal(events.length, 2);
  });
});

describe('a list of many', () => {
  it('has all of its pages, and ends quietly when nobody reads on', async () => {
    for (let index = 0; index < 12; index += 1)
      await origin.api('POST', '/accounts', { name: `many-${index}`, isOrg: true });
    assert.equal((await dtr('org list many- --quiet')).split('\n').length, 13);
  });
});
