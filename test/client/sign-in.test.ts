/** Where `dtr` asks, as whom, and whom it trusts. */
import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { freePort } from '../setup/free-port.ts';
import { basic, startTestOrigin } from '../setup/origin.ts';
import { startProgram } from '../setup/processes.ts';
import { tempDirectory } from '../setup/temp-directory.ts';
import { home } from './program.ts';

describe('an origin whose certificate is of a CA of its own', async () => {
  const data = join(await tempDirectory(), 'data');
  const port = await freePort();
  const url = `https://localhost:${port}`;
  const ca = join(data, 'ca.pem');
  const program = await startProgram('dtr', ['serve', '--data', data, '--listen', `127.0.0.1:${port}`]);
  after(() => program.stop());
  const password = (await readFile(join(data, 'admin-password'), 'utf8')).trim();

  it('is not asked, and dtr says how to trust it', async () => {
    const { dtr } = await home();
    assert.deepEqual(await dtr(`login ${url} -u admin --password-stdin`, { input: password }), {
      code: 1,
      out: '',
      said: [
        `dtr: the certificate of ${url} is not of a CA that this machine trusts`,
        `     fetch its CA by 'curl -k ${url}/ca > dtr-ca.pem', make sure that it is the right one, then: dtr login ${url} --ca-file dtr-ca.pem`,
      ],
    });
  });

  it('is trusted by --ca-file from then on, by the one that logged in', async () => {
    const { dtr } = await home();
    const login = await dtr(`login ${url} -u admin --password-stdin --ca-file ${ca}`, { input: password });
    assert.deepEqual(login, { code: 0, out: '', said: [`signed in to ${url} as admin`] });
    assert.deepEqual(await dtr('whoami --quiet'), { code: 0, out: 'admin\n', said: [] });
  });

  it('is trusted by DTR_CA_FILE, and by the CAs of the system', async () => {
    const { dtr } = await home({ DTR_URL: url, DTR_TOKEN: `admin:${password}` });
    for (const env of [{ DTR_CA_FILE: ca }, { SSL_CERT_FILE: ca }]) {
      assert.deepEqual(await dtr('whoami --quiet', { env }), { code: 0, out: 'admin\n', said: [] });
    }
  });
});

describe('dtr login', async () => {
  const origin = await startTestOrigin();
  const unencrypted = `the password travels to ${origin.url} without encryption`;
  const login = `login ${origin.url} -u admin --password-stdin`;
  const labels = async () => {
    const tokens = (await (await origin.api('GET', '/api_tokens')).json()) as { tokenLabel: string }[];
    return tokens.map(({ tokenLabel }) => tokenLabel);
  };

  it('keeps an access token, which only its owner can read, and never the password', async () => {
    const { dtr, configuration } = await home();
    assert.deepEqual(await dtr(login, { input: `${origin.adminPassword}\n` }), {
      code: 0,
      out: '',
      said: [unencrypted, `signed in to ${origin.url} as admin`],
    });
    assert.equal((await stat(configuration)).mode & 0o777, 0o600);
    const text = await readFile(configuration, 'utf8');
    const { current, origins } = JSON.parse(text) as Configuration;
    assert.equal(current, origin.url);
    assert.deepEqual(Object.keys(origins), [origin.url]);
    assert.doesNotMatch(text, new RegExp(origin.adminPassword));
    assert.deepEqual(await labels(), [`dtr on ${hostname()}`]);

    // Again: the token of before is of no use any more.
    await dtr(login, { input: origin.adminPassword });
    assert.deepEqual(await labels(), [`dtr on ${hostname()}`]);

    // Signed out: it is revoked, and forgotten.
    const { secret } = (JSON.parse(await readFile(configuration, 'utf8')) as Configuration).origins[
      origin.url
    ] as SignIn;
    assert.deepEqual(await dtr('logout'), { code: 0, out: '', said: [`signed out of ${origin.url}`] });
    assert.deepEqual(await labels(), []);
    const authorization = { Authorization: basic(`admin:${secret}`) };
    assert.equal(
      (await fetch(`${origin.url}/api/v0/content_caches`, { headers: authorization })).status,
      401,
    );
    assert.deepEqual(await dtr('cache list'), {
      code: 3,
      out: '',
      said: [
        'dtr: not signed in',
        '     dtr login <url>; in scripts: set DTR_URL and DTR_TOKEN=<user>:<token>',
      ],
    });
  });

  it('with a wrong password keeps nothing', async () => {
    const { dtr, configuration } = await home();
    const { code, said } = await dtr(login, { input: 'wrong password' });
    assert.equal(code, 3);
    assert.match(said[1] as string, /^dtr: .+ \(NOT_AUTHENTICATED\)$/);
    await assert.rejects(stat(configuration), { code: 'ENOENT' });
  });

  it('needs its words where nobody can be asked', async () => {
    const { dtr } = await home();
    assert.deepEqual(await dtr(`login ${origin.url}`), {
      code: 2,
      out: '',
      said: [unencrypted, 'dtr: --username is needed, where nobody can be asked'],
    });
  });

  it('the token of one origin is not shown to another', async () => {
    const seen: unknown[] = [];
    const other = createServer((request, response) => {
      seen.push(request.headers);
      response.end('[]');
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    after(() => other.close());
    const elsewhere = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const { dtr } = await home({ DTR_URL: origin.url, DTR_TOKEN: `admin:${origin.adminPassword}` });
    assert.deepEqual(await dtr(`cache list --origin ${elsewhere}`), {
      code: 3,
      out: '',
      said: [`dtr: not signed in at ${elsewhere}`, `     dtr login ${elsewhere}`],
    });
    assert.deepEqual(seen, []);
  });
});

describe('dtr logout', () => {
  it('forgets the token also while the origin is away, and says that it still opens', async () => {
    const origin = await startTestOrigin();
    const { dtr, configuration } = await home();
    await dtr(`login ${origin.url} -u admin --password-stdin`, { input: origin.adminPassword });
    await origin.close();
    const { code, said } = await dtr('logout');
    assert.equal(code, 1);
    assert.match(
      said.join('\n'),
      /^dtr: the access token is forgotten here, but could not be revoked: cannot reach \S+: nothing listens there\n {5}when it can be: dtr token revoke [0-9a-f]{64}$/,
    );
    assert.deepEqual(JSON.parse(await readFile(configuration, 'utf8')), { origins: {} });
  });
});

interface SignIn {
  readonly user: string;
  readonly secret: string;
}

interface Configuration {
  readonly current: string;
  readonly origins: Record<string, SignIn>;
}
