/** What `dtr` asks a person. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { home } from '../client/program.ts';
import { startTestOrigin } from '../setup/origin.ts';
import { missing } from '../setup/processes.ts';
import { atTerminal } from './terminal.ts';

describe('at a terminal', { skip: missing('script') }, async () => {
  const origin = await startTestOrigin();

  it('dtr login asks for user and password, which does not appear', async () => {
    const here = await home();
    const { code, shown } = await atTerminal(here, `dtr login ${origin.url}`, [
      ['User: ', 'admin\r'],
      // Typed with a mistake, and corrected.
      ['Password of admin: ', `${origin.adminPassword}x\u007f\r`],
    ]);
    assert.equal(code, 0, shown);
    assert.match(shown, /Password of admin: \nsigned in to http:\S+ as admin\n$/);
    assert.doesNotMatch(shown, new RegExp(origin.adminPassword));
    assert.equal((await here.dtr('whoami -q')).out, 'admin\n');
  });

  it('Ctrl-C at the password ends it, and the terminal is as before', async () => {
    const { code, shown } = await atTerminal(await home(), `dtr login ${origin.url} -u admin`, [
      ['Password of admin: ', 'half\u0003'],
    ]);
    assert.deepEqual([code, shown.split('\n').slice(-3)], [1, ['Password of admin: ', 'dtr: cancelled', '']]);
  });

  it('what cannot be brought back is removed by who types its name, and by nobody else', async () => {
    const here = await home({ DTR_URL: origin.url, DTR_TOKEN: `admin:${origin.adminPassword}` });
    await here.dtr('cache add region-us http://203.0.113.7:5000');
    const question = 'This removes the content cache region-us for good. Type region-us to do it: ';
    const other = await atTerminal(here, 'dtr cache remove region-us', [[question, 'yes\r']]);
    assert.deepEqual([other.code, other.shown.split('\n').at(-2)], [1, 'dtr: nothing was removed']);
    assert.equal((await here.dtr('cache list -q')).out, 'region-us\n');
    const same = await atTerminal(here, 'dtr cache remove region-us', [[question, 'region-us\r']]);
    assert.deepEqual(
      [same.code, same.shown.split('\n').at(-2)],
      [0, 'the content cache region-us is removed'],
    );
    assert.equal((await here.dtr('cache list -q')).out, '');
  });

  it('a new password is typed twice', async () => {
    const here = await home({ DTR_URL: origin.url, DTR_TOKEN: `admin:${origin.adminPassword}` });
    const { code, shown } = await atTerminal(here, 'dtr user add jane', [
      ['New password of jane: ', 'a long password\r'],
      ['The same again: ', 'another password\r'],
    ]);
    assert.deepEqual([code, shown.split('\n').at(-2)], [1, 'dtr: that was not the same twice']);
    const added = await atTerminal(here, 'dtr user add jane --quiet', [
      ['New password of jane: ', 'a long password\r'],
      ['The same again: ', 'a long password\r'],
    ]);
    assert.deepEqual([added.code, added.shown.split('\n').at(-2)], [0, 'jane']);
    const own = await home({ DTR_URL: origin.url, DTR_TOKEN: 'jane:a long password' });
    const changed = await atTerminal(own, 'dtr user password', [
      ['Your password so far: ', 'a long password\r'],
      ['New password of jane: ', 'an even longer one\r'],
      ['The same again: ', 'an even longer one\r'],
    ]);
    assert.deepEqual(
      [changed.code, changed.shown.split('\n').at(-2)],
      [0, 'the password of jane is changed'],
    );
  });
});
