/** Completion, as somebody sees it who presses TAB in bash. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { home } from '../client/program.ts';
import { startTestOrigin } from '../setup/origin.ts';
import { missing } from '../setup/processes.ts';
import { atTerminal } from './terminal.ts';

describe('in bash', { skip: missing('bash', 'script') }, async () => {
  const origin = await startTestOrigin();
  const here = await home({
    DTR_URL: origin.url,
    DTR_TOKEN: `admin:${origin.adminPassword}`,
    INPUTRC: '/dev/null',
    TERM: 'dumb',
  });
  await here.dtr('cache add region-us http://203.0.113.7:5000');
  // What a shell would run, if it were put on the line as it is.
  await here.dtr(['cache', 'add', 'region-$(touch x)', 'http://203.0.113.8:5000']);

  it('TAB completes commands, and names that the origin knows', async () => {
    const { code, shown } = await atTerminal(here, 'PS1="> " bash --norc -i', [
      ['> ', 'eval "$(dtr completion bash)"\r'],
      ['> ', 'dtr cac\t'],
      ['dtr cache ', 'sh\t'],
      ['show ', 'reg\t'],
      ['region-us ', '--q\t'],
      ['--quiet ', '\r'],
      ['region-us\r\n', 'exit\r'],
    ]);
    assert.equal(code, 0, shown);
    assert.match(shown, /> dtr cache show region-us --quiet \nregion-us\n/);
  });

  it('TAB says nothing when the origin is away', async () => {
    const { code, shown } = await atTerminal(here, 'DTR_URL=http://127.0.0.1:1 PS1="> " bash --norc -i', [
      ['> ', 'eval "$(dtr completion bash)"\r'],
      ['> ', 'dtr cache show region\t'],
      ['region', '\u0015exit\r'],
    ]);
    assert.equal(code, 0, shown);
    assert.doesNotMatch(shown, /cannot reach/);
  });
});
