import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type CacheCommand, cacheCommandPaths } from '../../src/shared/cache-command.ts';
import { startTestCache } from '../setup/cache.ts';
import { commanderOf, commandToken } from '../setup/cache-commands.ts';
import { startFakeOrigin } from '../setup/fake-origin.ts';
import { eventually } from '../setup/processes.ts';
import { openSocket, parseAnswer, rawRequest } from '../setup/raw-request.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

const origin = await startFakeOrigin();
const outOfService = join(await tempDirectory(), 'out-of-service');
const cache = await startTestCache({
  origin: origin.url,
  cas: [origin.ca],
  prefix: '/registry/',
  health: { storage: undefined, files: [{ path: outOfService, intervalMs: 20, threshold: 1 }] },
});
const commander = commanderOf(cache.url, origin);
const commands = Object.keys(cacheCommandPaths) as CacheCommand[];

/** A good body for each command. */
const bodies: Record<CacheCommand, string | undefined> = {
  status: undefined,
  deliveries: '{"requests":[]}',
  purge: '{"digests":[]}',
  prefetch: '{"blobs":[]}',
  stored: '{}',
};

function give(
  command: CacheCommand,
  options: { token?: string; body?: string; query?: string; method?: string; url?: string } = {},
): Promise<Response> {
  const body = options.body ?? bodies[command];
  const method = options.method ?? (command === 'status' ? 'GET' : 'POST');
  return fetch(`${options.url ?? cache.url}${cacheCommandPaths[command]}${options.query ?? ''}`, {
    method,
    headers: options.token === undefined ? {} : { Authorization: `Bearer ${options.token}` },
    ...(body === undefined || method === 'GET' || method === 'HEAD' ? {} : { body }),
  });
}

async function errorOf(response: Response): Promise<{ code: string; message: string }> {
  const { errors } = (await response.json()) as { errors: { code: string; message: string }[] };
  return errors[0] as { code: string; message: string };
}

describe('a probe', () => {
  it('sees without any token that this is a content cache, and nothing more', async () => {
    const response = await fetch(`${cache.url}/v2/`);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('dtr-protocol'), '1');
    assert.equal(await response.text(), '{}');
  });
});

describe('the status', () => {
  it('says what the cache is, whom it serves, how it does and what it holds', async () => {
    const bytes = randomBytes(1234);
    const path = origin.signedPath(origin.add(bytes));
    await (await fetch(cache.url + path)).arrayBuffer();
    const before = Date.now();
    const status = await commander.status();
    assert.equal(status.protocol, '1');
    assert.equal(status.version, '0.1.0');
    assert.match(status.processId, /^[0-9a-f]{16}$/);
    assert.ok(status.now >= before && status.now <= Date.now());
    assert.deepEqual(status.origins, [origin.issuer]);
    assert.deepEqual(status.health, { healthy: true, reasons: [] });
    assert.ok(status.disk.freeBytes > 0 && status.disk.freeBytes <= status.disk.sizeBytes);
    assert.deepEqual(status.stored, { blobs: 1, bytes: 1234 });
  });

  it('says why the cache is not well', async () => {
    await writeFile(outOfService, '');
    await eventually('it is unhealthy', async () => !(await commander.status()).health.healthy);
    assert.deepEqual((await commander.status()).health.reasons, [`file ${outOfService}: the file exists`]);
    await rm(outOfService);
    await eventually('it is healthy', async () => (await commander.status()).health.healthy);
  });

  it('says when no upstream answers any more, and again when one does', async () => {
    const away = await startFakeOrigin();
    let now = Date.now();
    const clock = () => now;
    const lonely = await startTestCache({ origin: away.url, cas: [away.ca], clock });
    const ask = commanderOf(lonely.url, away, clock);
    assert.deepEqual((await ask.status()).health.reasons, []);
    await away.stop();
    await eventually('it is told', async () => {
      now += 3_000;
      return !(await ask.status()).health.healthy;
    });
    const { reasons } = (await ask.status()).health;
    assert.match(reasons.join(), new RegExp(`^upstream: ${away.url}: it (refuses|closed)`));
    await away.start();
    await eventually('it is well', async () => {
      now += 3_000;
      return (await ask.status()).health.healthy;
    });
  });

  it('is answered below the prefix of a proxy, too', async () => {
    const token = commandToken(origin, 'status');
    assert.equal((await give('status', { token, url: `${cache.url}/registry` })).status, 200);
  });

  it('is refused with a query that is not understood', async () => {
    for (const query of ['?after=1', '?after=x&process=a', '?after=1&process=a&x=1', '?process=a&after=1']) {
      const token = commandToken(origin, 'status');
      const response = await give('status', { token, query });
      assert.equal(response.status, 400, query);
      assert.match((await errorOf(response)).message, /after=/);
    }
  });
});

describe('without a command that an origin of this cache gave for just this, each command', () => {
  const stored = origin.add(Buffer.from('stored'));
  const refusals: [what: string, token: (command: CacheCommand) => string | undefined, status: number][] = [
    ['without a token', () => undefined, 401],
    ['with an empty one', () => '', 401],
    ['with a word', () => 'letmein', 403],
    ['with a signed URL', () => origin.token(stored), 403],
    [
      'with another command',
      (command) => commandToken(origin, command === 'purge' ? 'prefetch' : 'purge', bodies[command]),
      403,
    ],
    ['with that of another body', (command) => commandToken(origin, command, '{"everything":true}'), 403],
    [
      'with an old one',
      (command) => commandToken(origin, command, bodies[command], { now: Date.now() - 121_000 }),
      403,
    ],
    [
      'with one of another origin',
      (command) => commandToken({ ...origin, issuer: 'https://evil.example' }, command, bodies[command]),
      403,
    ],
  ];
  for (const [what, tokenFor, status] of refusals) {
    it(`${what} is refused as JSON that tells nothing`, async () => {
      for (const command of commands) {
        const token = tokenFor(command);
        const response = await give(command, token === undefined ? {} : { token });
        assert.equal(response.status, status, command);
        assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8');
        const text = await response.text();
        assert.doesNotMatch(text, /stored|processId|sizeBytes/);
        assert.equal(JSON.parse(text).errors[0].code, status === 401 ? 'UNAUTHORIZED' : 'DENIED');
      }
    });
  }

  it('of another key of the same name is refused', async () => {
    const other = await startFakeOrigin();
    const token = commandToken({ ...other, issuer: origin.issuer }, 'status');
    assert.equal((await give('status', { token })).status, 403);
  });

  it('opens no blob with one, either', async () => {
    const token = commandToken(origin, 'status');
    const path = origin.signedPath(stored).split('?')[0];
    assert.equal((await fetch(`${cache.url}${path}?token=${token}`)).status, 403);
    const headers = { Authorization: `Bearer ${token}` };
    assert.equal((await fetch(cache.url + path, { headers })).status, 401);
  });

  it('leaves no token in the log', async () => {
    await give('status', { token: commandToken(origin, 'status') });
    assert.doesNotMatch(JSON.stringify(cache.logs), /eyJ/);
  });
});

describe('a cache that knows its own address', () => {
  it('takes commands for this address alone', async () => {
    const named = await startTestCache({
      origin: origin.url,
      cas: [origin.ca],
      host: 'https://this.example:5000',
    });
    const give = (host: string) =>
      fetch(named.url + cacheCommandPaths.status, {
        headers: { Authorization: `Bearer ${commandToken(origin, 'status', undefined, { host })}` },
      });
    assert.equal((await give('https://this.example:5000')).status, 200);
    const refused = await give('https://other.example');
    assert.equal(refused.status, 403);
    assert.match(
      (await errorOf(refused)).message,
      /https:\/\/other\.example, and this one is https:\/\/this/,
    );
  });
});

describe('a command that cannot be read', () => {
  const wrong: [what: string, command: CacheCommand, body: string, status: number, message: RegExp][] = [
    ['no JSON', 'purge', '{', 400, /not JSON/],
    ['nothing', 'purge', '', 400, /not JSON/],
    ['another shape', 'deliveries', '{"requests":"a"}', 400, /^requests: /],
    ['too many ids', 'deliveries', JSON.stringify({ requests: Array(101).fill('a') }), 400, /^requests: /],
    ['what it does not know', 'purge', '{"everything":true,"but":"not"}', 400, /./],
    ['more than a mebibyte', 'prefetch', ' '.repeat(1024 * 1024 + 1), 413, /at most 1048576 bytes/],
  ];
  for (const [what, command, body, status, message] of wrong) {
    it(`is refused: ${what}`, async () => {
      const response = await give(command, { token: commandToken(origin, command, body), body });
      assert.equal(response.status, status);
      assert.match((await errorOf(response)).message, message);
    });
  }

  it('is refused by another method, even without a token', async () => {
    for (const command of commands) {
      for (const method of ['PUT', 'DELETE', 'HEAD', command === 'status' ? 'POST' : 'GET']) {
        const response = await give(command, { method });
        assert.equal(response.status, 405, `${method} ${command}`);
        assert.equal(response.headers.get('allow'), command === 'status' ? 'GET' : 'POST');
      }
    }
  });

  it('has a mebibyte in chunks, and then no more of it is kept', async () => {
    const body = ' '.repeat(1024 * 1024 + 10);
    const token = commandToken(origin, 'purge', body);
    const answer = await rawRequest(
      cache.url,
      `POST ${cacheCommandPaths.purge}`,
      [`Authorization: Bearer ${token}`, 'Transfer-Encoding: chunked'],
      `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    );
    assert.equal(answer.status, 413);
  });

  it('without a token is answered before its body is sent', async () => {
    const socket = openSocket(cache.url);
    socket.write(`POST ${cacheCommandPaths.purge} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.equal(parseAnswer(answer.toString('latin1')).status, 401);
    socket.destroy();
  });
});
