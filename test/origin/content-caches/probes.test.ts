import assert from 'node:assert/strict';
import { createServer as createTcpServer } from 'node:net';
import { after, describe, it } from 'node:test';
import { ensureCertificate } from '../../../src/origin/certificates.ts';
import { type CacheAddress, CacheClient } from '../../../src/origin/content-caches/cache-client.ts';
import type { Lookup } from '../../../src/origin/content-caches/permitted-addresses.ts';
import { probe } from '../../../src/origin/content-caches/probes.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { listen } from '../../../src/shared/http/shutdown.ts';
import { issuer, originKeys, startFakeContentCache } from '../../setup/fake-content-cache.ts';
import { freePort } from '../../setup/free-port.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';

function createClient(options: { ownCa?: string; privateNetworks?: boolean; lookup?: Lookup } = {}) {
  const client = new CacheClient({
    keys: originKeys,
    issuer,
    ownCa: options.ownCa,
    policy: { privateNetworks: options.privateNetworks ?? true },
    clock: systemClock,
    ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
  });
  after(() => client.close());
  return client;
}
const client = createClient();
const look = (cache: CacheAddress, by = client) => probe(by, cache, { clock: systemClock });
const at = (host: string, caPem?: string): CacheAddress => ({ id: 'cache-1', host, caPem });

describe('a probe of a cache that is well', () => {
  it('asks twice: first as a stranger, then by the signature of the origin for this very cache', async () => {
    const cache = await startFakeContentCache({ id: 'cache-7' });
    const finding = await probe(client, cache.address, {
      clock: systemClock,
      after: { processId: 'process-1', sequence: 7 },
    });
    assert.equal(finding.trouble, undefined);
    assert.deepEqual(cache.requests, ['GET /v2/', 'GET /.well-known/dtr-content-cache/status']);
    const { issuer: by, cache: id, host, command } = cache.commands[0] ?? {};
    assert.deepEqual([by, id, host, command], [issuer, 'cache-7', cache.url, 'status']);
    assert.equal(finding.status?.version, '0.1.0');
    assert.ok(Math.abs(finding.clockSkewMs as number) < 1_000);
    assert.ok((finding.latencyMs as number) < 1_000);
  });

  it('sends a stranger nothing of itself: no authorization, no cookie, no referrer', async () => {
    const cache = await startFakeContentCache();
    let sent: string[] = [];
    cache.instead = (request, response) => {
      sent = Object.keys(request.headers);
      response.end();
      return true;
    };
    await look(cache.address);
    assert.deepEqual(sent.sort(), ['accept', 'accept-encoding', 'connection', 'dtr-protocol', 'host']);
  });
});

describe('what a probe finds is told apart', () => {
  it('nobody listens', async () => {
    const { trouble } = await look(at(`http://127.0.0.1:${await freePort()}`));
    assert.deepEqual(
      [trouble?.verdict, trouble?.reason, trouble?.message],
      ['failed', 'refused', 'it refuses connections: is it running, and is the port right?'],
    );
  });

  it('its name does not resolve', async () => {
    const lookup: Lookup = (_hostname, _options, callback) =>
      callback(Object.assign(new Error('none'), { code: 'ENOTFOUND' }), []);
    const { trouble } = await look(at('http://cache.example.com:5000'), createClient({ lookup }));
    assert.deepEqual(
      [trouble?.verdict, trouble?.message],
      ['failed', 'its name cannot be resolved by the origin'],
    );
  });

  it('something else is there', async () => {
    const cache = await startFakeContentCache();
    cache.instead = (_request, response) => {
      response.writeHead(401).end('the secret of an internal service');
      return true;
    };
    const { trouble } = await look(cache.address);
    assert.deepEqual(
      [trouble?.verdict, trouble?.message],
      ['unfit', 'it is no content cache: it answered 401 without saying that it is one (dtr-protocol)'],
    );
    assert.deepEqual(cache.requests, ['GET /v2/'], 'and it is not asked by signature');
  });

  it('something that does not speak HTTP is there', async () => {
    const server = createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'));
    const port = await listen(server as Parameters<typeof listen>[0], { host: '127.0.0.1', port: 0 });
    after(() => server.close());
    const { trouble } = await look(at(`http://127.0.0.1:${port}`));
    assert.deepEqual([trouble?.verdict, trouble?.message], ['failed', 'it does not answer in HTTP']);
  });

  it('it does not serve this origin', async () => {
    const cache = await startFakeContentCache();
    cache.instead = (request, response) => {
      if (request.url === '/v2/') return false;
      const refusal = request.url?.includes('jwks.json') ? 404 : 403;
      response.writeHead(refusal).end();
      return true;
    };
    const { trouble } = await look(cache.address);
    assert.deepEqual(
      [trouble?.verdict, trouble?.message],
      ['unfit', `it does not serve this origin: its originhost is another than ${issuer}`],
    );
  });

  it('it refuses the signature for another cause', async () => {
    const cache = await startFakeContentCache();
    cache.instead = (request, response) => {
      if (request.url === '/v2/') return false;
      response.writeHead(request.url?.includes('jwks.json') ? 200 : 403).end('{}');
      return true;
    };
    const { trouble } = await look(cache.address);
    assert.equal(trouble?.reason, 'signature-refused');
  });

  for (const [seconds, words] of [
    [75, "its clock is 75 s ahead of the origin's: signed URLs need clocks that agree within 60 s"],
    [-300, "its clock is 300 s behind the origin's: signed URLs need clocks that agree within 60 s"],
  ] as const) {
    it(`its clock is ${seconds} s off, so that it refuses the signature`, async () => {
      const cache = await startFakeContentCache();
      cache.instead = (request, response) => {
        response.setHeader('Date', new Date(Date.now() + seconds * 1000).toUTCString());
        if (request.url === '/v2/') return false;
        response.writeHead(403).end();
        return true;
      };
      const { trouble } = await look(cache.address);
      assert.equal(trouble?.verdict, 'unfit');
      assert.match(trouble?.message ?? '', new RegExp(words.replace(/\d+ s /, '\\d+ s ')));
      const told = Number(/is (\d+) s/.exec(trouble?.message ?? '')?.[1]);
      assert.ok(Math.abs(told - Math.abs(seconds)) <= 1, `${told}`);
    });
  }

  it('its clock is 45 s off: it serves, and an admin should look', async () => {
    const cache = await startFakeContentCache();
    cache.status.now = Date.now() + 45_000;
    const { trouble, clockSkewMs } = await look(cache.address);
    assert.deepEqual([trouble?.verdict, trouble?.reason], ['impaired', 'clock']);
    assert.ok(Math.abs((clockSkewMs as number) - 45_000) < 1_000);
  });

  it('it says that it is not healthy', async () => {
    const cache = await startFakeContentCache();
    cache.status = {
      ...cache.status,
      health: { healthy: false, reasons: ['storage: no space\u001b[31m\nleft'] },
    };
    const { trouble } = await look(cache.address);
    assert.deepEqual(
      [trouble?.verdict, trouble?.message],
      ['failed', 'it says that it is not healthy: storage: no space [31m left'],
    );
  });

  it('its disk is nearly full', async () => {
    const cache = await startFakeContentCache();
    cache.status = { ...cache.status, disk: { sizeBytes: 1_000_000, freeBytes: 10_000 } };
    const { trouble } = await look(cache.address);
    assert.deepEqual([trouble?.verdict, trouble?.reason], ['impaired', 'disk']);
  });

  it('it speaks another version of the protocol', async () => {
    const cache = await startFakeContentCache();
    cache.status = { ...cache.status, protocol: '2' };
    const { trouble } = await look(cache.address);
    assert.deepEqual(
      [trouble?.verdict, trouble?.message],
      ['impaired', 'it speaks version 2 of the protocol, this origin version 1'],
    );
  });

  it('it is of a version that knows no commands, and serves', async () => {
    const cache = await startFakeContentCache();
    cache.instead = (request, response) => {
      if (request.url === '/v2/') return false;
      response.writeHead(404).end();
      return true;
    };
    const { trouble } = await look(cache.address);
    assert.deepEqual([trouble?.verdict, trouble?.reason], ['impaired', 'version']);
  });

  it('it has no keys of this origin yet', async () => {
    const cache = await startFakeContentCache();
    cache.instead = (request, response) => {
      if (request.url === '/v2/') return false;
      response.writeHead(503).end();
      return true;
    };
    const { trouble } = await look(cache.address);
    assert.deepEqual([trouble?.verdict, trouble?.reason], ['failed', 'no-keys']);
  });

  it('it accepts no connection, or does not answer, within three seconds', { timeout: 6_000 }, async () => {
    const cache = await startFakeContentCache();
    cache.instead = () => true;
    const began = performance.now();
    const { trouble } = await look(cache.address);
    assert.deepEqual([trouble?.verdict, trouble?.reason], ['failed', 'timeout']);
    assert.ok(performance.now() - began < 3_500);
  });
});

describe('TLS is always verified, and what is wrong with it is told apart', async () => {
  const now = Date.now();
  const good = await ensureCertificate(await tempDirectory(), ['127.0.0.1'], now);
  const otherHost = await ensureCertificate(await tempDirectory(), ['cache.example.com'], now);
  const expired = await ensureCertificate(await tempDirectory(), ['127.0.0.1'], now - 500 * 86_400_000);
  const early = await ensureCertificate(await tempDirectory(), ['127.0.0.1'], now + 10 * 86_400_000);
  const reasonOf = async (tls: typeof good, caPem?: string) => {
    const cache = await startFakeContentCache({ tls });
    const { trouble } = await look({ ...cache.address, caPem });
    return trouble === undefined ? 'well' : `${trouble.verdict}: ${trouble.reason}`;
  };

  it('trusted by the CA that it was registered with', async () => {
    assert.equal(await reasonOf(good, good.ca), 'well');
  });

  it("trusted by the origin's own CA", async () => {
    const cache = await startFakeContentCache({ tls: good });
    const { trouble } = await look(cache.address, createClient({ ownCa: good.ca as string }));
    assert.equal(trouble, undefined);
  });

  it('not trusted', async () => {
    assert.equal(await reasonOf(good), 'unfit: tls-untrusted');
    assert.equal(await reasonOf(good, otherHost.ca), 'unfit: tls-untrusted');
  });

  it('for another host', async () => {
    assert.equal(await reasonOf(otherHost, otherHost.ca), 'unfit: tls-wrong-host');
  });

  it('expired, or not valid yet', async () => {
    assert.equal(await reasonOf(expired, expired.ca), 'unfit: tls-expired');
    assert.equal(await reasonOf(early, early.ca), 'unfit: tls-not-yet-valid');
  });

  it('plain HTTP where TLS is expected, and the other way round', async () => {
    const plain = await startFakeContentCache();
    const { trouble } = await look(at(plain.url.replace('http:', 'https:')));
    assert.equal(trouble?.reason, 'no-tls');
    const secure = await startFakeContentCache({ tls: good });
    const other = await look(at(secure.url.replace('https:', 'http:')));
    assert.match(other.trouble?.message ?? '', /^it closed the connection: does it want TLS/);
  });

  it('a client certificate is wanted: it serves, and cannot be looked at', async () => {
    const cache = await startFakeContentCache({ tls: good, clientCa: good.ca as string });
    const { trouble } = await look({ ...cache.address, caPem: good.ca });
    assert.deepEqual([trouble?.verdict, trouble?.reason], ['impaired', 'client-certificate']);
  });
});

describe('a probe cannot be turned against others (A04)', () => {
  it('a redirect to an internal listener is not followed', async () => {
    const internal = await startFakeContentCache();
    const evil = await startFakeContentCache();
    for (const status of [301, 302, 303, 307, 308]) {
      evil.instead = (_request, response) => {
        response.writeHead(status, { Location: `${internal.url}/v2/`, 'dtr-protocol': '1' }).end();
        return true;
      };
      await look(evil.address);
    }
    assert.deepEqual(internal.requests, []);
  });

  it('a redirect of the signed request is not followed either', async () => {
    const internal = await startFakeContentCache();
    const evil = await startFakeContentCache();
    evil.instead = (request, response) => {
      if (request.url === '/v2/') return false;
      response.writeHead(307, { Location: internal.url }).end();
      return true;
    };
    const { trouble } = await look(evil.address);
    assert.equal(trouble?.message, 'it answered 307 to the signature of this origin');
    assert.deepEqual(internal.requests, []);
  });

  it('link-local addresses are never connected to, however they are written', async () => {
    for (const host of [
      '169.254.169.254',
      '[fe80::1]',
      '[::ffff:a9fe:a9fe]',
      '[64:ff9b::a9fe:a9fe]',
      '0.0.0.0',
    ]) {
      const began = performance.now();
      const { trouble } = await look(at(`http://${host}`));
      assert.deepEqual([trouble?.verdict, trouble?.reason], ['unfit', 'address-not-permitted'], host);
      assert.ok(performance.now() - began < 500, 'without trying');
    }
  });

  it('a name that changes its answer is judged at each connection', async () => {
    const evil = await startFakeContentCache();
    const port = new URL(evil.url).port;
    const answers = ['127.0.0.1', '169.254.169.254', '127.0.0.1'];
    const lookup: Lookup = (_hostname, _options, callback) =>
      callback(null, [{ address: answers.shift() as string, family: 4 }]);
    // A connection for each request, so that each asks for the name again.
    evil.instead = (_request, response) => {
      response.setHeader('Connection', 'close');
      return false;
    };
    const by = createClient({ lookup });
    const { trouble } = await look(at(`http://rebinding.example.com:${port}`), by);
    assert.equal(trouble?.reason, 'address-not-permitted');
    assert.deepEqual(evil.requests, ['GET /v2/']);
  });

  it('private networks are connected to unless they are off', async () => {
    const cache = await startFakeContentCache();
    const { trouble } = await look(cache.address, createClient({ privateNetworks: false }));
    assert.deepEqual([trouble?.verdict, trouble?.reason], ['unfit', 'address-not-permitted']);
    assert.deepEqual(cache.requests, []);
  });

  it('no more than 64 KiB are read', async () => {
    const evil = await startFakeContentCache();
    let sentBytes = 0;
    let closed = false;
    evil.instead = (_request, response) => {
      response.writeHead(200, { 'dtr-protocol': '1' });
      response.once('close', () => {
        closed = true;
      });
      const more = () => {
        while (!closed && sentBytes < 100_000_000) {
          sentBytes += 16_384;
          if (!response.write(Buffer.alloc(16_384))) break;
        }
      };
      response.on('drain', more);
      more();
      return true;
    };
    const { trouble } = await look(evil.address);
    assert.deepEqual([trouble?.verdict, trouble?.reason], ['unfit', 'no-content-cache']);
    assert.ok(sentBytes < 20_000_000, `${sentBytes} bytes sent`);
  });

  it('a slow drip ends after three seconds', { timeout: 6_000 }, async () => {
    const evil = await startFakeContentCache();
    evil.instead = (_request, response) => {
      response.writeHead(200, { 'dtr-protocol': '1' });
      const drip = setInterval(() => response.write('.'), 100);
      response.once('close', () => clearInterval(drip));
      return true;
    };
    const began = performance.now();
    const { trouble } = await look(evil.address);
    assert.equal(trouble?.reason, 'timeout');
    assert.ok(performance.now() - began < 3_500);
  });

  it('nothing of a body or a header is told', async () => {
    const evil = await startFakeContentCache();
    const secret = 'SECRET-7f3a';
    const answers: ((path: string) => [number, Record<string, string>])[] = [
      () => [200, {}],
      () => [500, { 'dtr-protocol': secret }],
      () => [302, { Location: `http://${secret}/` }],
      () => [200, { 'dtr-protocol': secret }],
      (path) => [path === '/v2/' ? 200 : 403, { 'dtr-protocol': '1', Date: secret }],
    ];
    for (const answer of answers) {
      evil.instead = (request, response) => {
        const [status, headers] = answer(request.url ?? '');
        response.writeHead(status, { ...headers, 'X-Secret': secret }).end(`{"error":"${secret}"}`);
        return true;
      };
      const finding = await look(evil.address);
      assert.doesNotMatch(JSON.stringify(finding), new RegExp(secret));
    }
  });
});
