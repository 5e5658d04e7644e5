/** Failing to sign in is limited at all doors together, and locks nobody out for good (B01, B02). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SignInLimits } from '../../../src/origin/accounts/sign-in-limits.ts';
import { basic, startTestOrigin } from '../../setup/origin.ts';

const home = '192.0.2.1';
const office = '198.51.100.7';

function start(options = { perAddress: 10, perAccount: 5 }) {
  let now = 1_700_000_000_000;
  const limits = new SignInLimits(options, () => now);
  const fail = async (name: string, address: string, times: number) => {
    for (let time = 0; time < times; time += 1) await limits.failed(name, address);
  };
  const isRefused = (name: string, address: string) =>
    limits.assertAllowed(name, address).then(
      () => false,
      () => true,
    );
  return { limits, fail, isRefused, pass: (ms: number) => (now += ms) };
}

describe('the budget of failures', () => {
  it('five on one account end it for a while, wherever they come from', async () => {
    const { fail, isRefused } = start();
    for (const host of [1, 2, 3, 4]) await fail('jane', `192.0.2.${host}`, 1);
    assert.equal(await isRefused('jane', '192.0.2.9'), false);
    await fail('jane', '192.0.2.5', 1);
    assert.equal(await isRefused('jane', '192.0.2.9'), true);
    assert.equal(await isRefused('joe', '192.0.2.9'), false);
  });

  it('ten from one address end it for a while, whatever names they try', async () => {
    const { fail, isRefused } = start();
    for (let user = 0; user < 10; user += 1) await fail(`user${user}`, home, 1);
    assert.equal(await isRefused('jane', home), true);
    assert.equal(await isRefused('jane', office), false);
  });

  it('a whole /64 of IPv6 is one address', async () => {
    const { fail, isRefused } = start();
    for (let host = 1; host <= 10; host += 1) await fail(`user${host}`, `2001:db8:0:7::${host}`, 1);
    assert.equal(await isRefused('jane', '2001:db8:0:7:ffff::1'), true);
    assert.equal(await isRefused('jane', '2001:db8:0:8::1'), false);
  });

  it('an address that the account signed in from is not locked out by what others try', async () => {
    const { limits, fail, isRefused } = start();
    limits.succeeded('jane', office);
    await fail('jane', home, 5);
    assert.equal(await isRefused('jane', home), true);
    assert.equal(await isRefused('jane', office), false);
    await fail('jane', office, 5);
    assert.equal(await isRefused('jane', office), true);
  });

  it('says in how many seconds to try again, and longer each time', async () => {
    const { limits, fail } = start({ perAddress: 1000, perAccount: 5 });
    await fail('jane', home, 5);
    await assert.rejects(limits.assertAllowed('jane', home), {
      code: 'too-many-sign-ins',
      detail: { retryAfterSeconds: 60 },
    });
    await fail('jane', home, 1);
    await assert.rejects(limits.assertAllowed('jane', home), { detail: { retryAfterSeconds: 120 } });
  });
});

describe('an origin', () => {
  it('counts failures at the token server, the API and the web together, and says when to try again', async () => {
    const origin = await startTestOrigin({ signInLimits: { perAddress: 100, perAccount: 5 } });
    const wrong = { Authorization: basic('admin:wrong-password') };
    const json = { 'Content-Type': 'application/json' };
    const doors = [
      () => fetch(`${origin.url}/auth/token?service=${new URL(origin.url).host}`, { headers: wrong }),
      () => fetch(`${origin.url}/api/v0/content_caches`, { headers: wrong }),
      () =>
        fetch(`${origin.url}/api/v0/session`, {
          method: 'POST',
          headers: json,
          body: JSON.stringify({ username: 'admin', password: 'wrong-password' }),
        }),
    ];
    const statuses = [];
    for (let round = 0; round < 2; round += 1) {
      for (const ask of doors) {
        const response = await ask();
        statuses.push(response.status);
        if (response.status === 429) assert.match(response.headers.get('retry-after') ?? '', /^\d+$/);
        await response.body?.cancel();
      }
    }
    assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429]);
  });

  it('of two hundred wrong passwords at once it tries few more than the budget', async () => {
    const origin = await startTestOrigin({ signInLimits: { perAddress: 100, perAccount: 5 } });
    const headers = { Authorization: basic('admin:wrong-password') };
    const answers = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const response = await fetch(`${origin.url}/api/v0/content_caches`, { headers });
        await response.body?.cancel();
        return response.status;
      }),
    );
    const tried = answers.filter((status) => status === 401).length;
    assert.ok(tried >= 5 && tried <= 8, `${tried} were tried`);
    assert.equal(answers.filter((status) => status === 429).length, 200 - tried);
  });
});
