import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { downstreamKeys, keys } from '../../src/cache/configuration/keys.ts';
import { parseConfiguration } from '../../src/cache/configuration.ts';
import { ensureCertificate } from '../../src/origin/certificates.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

const directory = await tempDirectory();
await ensureCertificate(directory, ['localhost'], Date.now());
const ca = join(directory, 'ca.pem');
const key = join(directory, 'server-key.pem');

/** The file of the page "Deploy DTR caches", its CA in a place that exists. */
const page = `version: 0.1
storage:
  delete:
    enabled: true
  filesystem:
    rootdirectory: /var/lib/registry
http:
  addr: :5000
middleware:
  registry:
      - name: downstream
        options:
          blobttl: 24h
          upstreams:
            - originhost: https://dtr.example
          cas:
            - ${ca}
`;

const parse = (text: string) => parseConfiguration(text, 'config.yml');

it('reads the file of the page as it stands', () => {
  const { cas, ...configuration } = parse(page);
  assert.equal(cas.length, 1);
  assert.deepEqual(configuration, {
    listen: { host: undefined, port: 5000 },
    host: undefined,
    prefix: '/',
    tls: undefined,
    log: { level: 'info', format: 'json', fields: {}, access: true },
    rootDirectory: '/var/lib/registry',
    blobTtlMs: 86_400_000,
    maxAgeMs: undefined,
    maxSizeBytes: undefined,
    watermarks: undefined,
    maxFills: 256,
    timeouts: { connectMs: 5_000, idleMs: 30_000 },
    upstreams: [{ originHost: 'https://dtr.example', hosts: [] }],
    headers: {},
    drainMs: 10_000,
    debug: undefined,
    health: { storage: { intervalMs: 10_000, threshold: 3 }, files: [] },
    notes: [],
  });
});

it('reads a chained cache with TLS', () => {
  const text = page
    .replace('  addr: :5000', `  addr: :5000\n  tls:\n    certificate: ${ca}\n    key: ${key}`)
    .replace(
      'originhost: https://dtr.example',
      'originhost: https://dtr.example\n              upstreamhosts:\n                - https://san-francisco.example',
    );
  const configuration = parse(text);
  assert.deepEqual(configuration.upstreams, [
    { originHost: 'https://dtr.example', hosts: ['https://san-francisco.example'] },
  ]);
  assert.equal(configuration.tls?.minimum, 'TLSv1.2');
});

it('reads the later, flat form, and notes what has no effect on a cache', () => {
  const configuration = parse(`version: 0.1
log:
  level: warn
storage:
  delete:
    enabled: true
  filesystem:
    rootdirectory: /var/lib/registry
http:
  addr: 0.0.0.0:443
  secret: generate-random-secret
  host: https://cache.example
middleware:
  registry:
      - name: downstream
        options:
          blobttl: 24h
          upstreams:
            - https://dtr.example:8443
`);
  assert.deepEqual(configuration.upstreams, [{ originHost: undefined, hosts: ['https://dtr.example:8443'] }]);
  assert.deepEqual(configuration.listen, { host: '0.0.0.0', port: 443 });
  assert.equal(configuration.host, 'https://cache.example');
  assert.equal(configuration.log.level, 'warn');
  assert.deepEqual(
    configuration.notes.map((note) => note.split(' ')[0]),
    ['http.secret'],
  );
});

describe('blobttl', () => {
  const ttls: [text: string, ms: number][] = [
    ['24h', 86_400_000],
    ['90m', 5_400_000],
    ['30s', 30_000],
    ['5ms', 5],
    ['5us', 0.005],
    ['5000ns', 0.005],
    ['3000000000', 3000],
  ];
  for (const [text, ms] of ttls) {
    it(`${text} is ${ms} ms`, () => assert.equal(parse(page.replace('24h', text)).blobTtlMs, ms));
  }
  for (const text of ['1.5h', '-1h', '0', '1h30m', '24 h', '1e30h', '""', 'h', '24d']) {
    it(`${text} is refused with its line`, () =>
      assert.throws(() => parse(page.replace('24h', text)), {
        message:
          /^config\.yml:13: middleware\.registry\[0\]\.options\.blobttl: expected a positive integer and an optional unit/,
      }));
  }
  for (const [what, from, to] of [
    ['is false', 'enabled: true', 'enabled: false'],
    ['is missing', '  delete:\n    enabled: true\n', ''],
  ] as const) {
    it(`is refused when storage.delete.enabled ${what}`, () =>
      assert.throws(() => parse(page.replace(from, to)), {
        message:
          /blobttl: If this field is configured, "storage\.delete\.enabled" must be configured to true\.$/,
      }));
  }
});

describe('a file that is wrong is refused with the line and the key', async () => {
  const empty = join(directory, 'empty.pem');
  await writeFile(empty, '');
  const garbage = join(directory, 'garbage.pem');
  await writeFile(garbage, randomBytes(100));
  const cases: [what: string, from: string, to: string, message: RegExp][] = [
    [
      'an unknown key',
      'http:\n',
      'httpd: 1\nhttp:\n',
      /^config\.yml:7: httpd: is not known: did you mean http\?$/,
    ],
    [
      'an unknown option',
      'blobttl: 24h',
      'blobtll: 24h',
      /^config\.yml:13: middleware\.registry\[0\]\.options\.blobtll: is not known: did you mean blobttl\?$/,
    ],
    [
      'another storage',
      '  filesystem:',
      '  s3: {}\n  filesystem:',
      /^config\.yml:5: storage\.s3: is not supported: a cache stores in a directory: use storage\.filesystem$/,
    ],
    [
      'another middleware',
      'name: downstream',
      'name: upstream',
      /^config\.yml:11: middleware\.registry\[0\]\.name: expected downstream, the only middleware/,
    ],
    ['another version', 'version: 0.1', 'version: 0.2', /^config\.yml:1: version: expected 0\.1/],
    [
      'a relative directory',
      '/var/lib/registry',
      'registry',
      /^config\.yml:6: storage\.filesystem\.rootdirectory: expected an absolute path/,
    ],
    ['an address that is none', ':5000', 'here', /^config\.yml:8: http\.addr: expected \[host\]:port/],
    [
      'no origin',
      'originhost',
      'originhosts',
      /^config\.yml:15: middleware\.registry\[0\]\.options\.upstreams\[0\]/,
    ],
    [
      'an origin that is no URL',
      'https://dtr.example',
      'dtr.example',
      /^config\.yml:15: .*originhost: expected https:\/\/<host>/,
    ],
    [
      'a CA that is not there',
      ca,
      '/nowhere.pem',
      /^config\.yml:17: .*cas\[0\]: \/nowhere\.pem cannot be read/,
    ],
    ['a CA that is empty', ca, empty, /^config\.yml:17: .*cas\[0\]: \S+ is empty/],
    ['a CA that is no PEM', ca, garbage, /^config\.yml:17: .*cas\[0\]: \S+ holds no PEM certificate/],
    ['a CA that is a directory', ca, directory, /^config\.yml:17: .*cas\[0\]: \S+ cannot be read/],
    ['a relative CA', ca, 'ca.pem', /^config\.yml:17: .*cas\[0\]: expected an absolute path/],
    ['no YAML', 'storage:', 'storage: [', /^config\.yml:\d+: YAML: /],
    ['a key twice', 'http:\n', 'version: 0.1\nhttp:\n', /^config\.yml:7: YAML: Map keys must be unique/],
  ];
  for (const [what, from, to, message] of cases) {
    it(what, () => assert.throws(() => parse(page.replace(from, to)), { message }));
  }
  it('an empty file', () => assert.throws(() => parse(''), { message: /^config\.yml:1: / }));
});

describe('keys that mean something for a cache are honoured', () => {
  const cases: [
    what: string,
    from: string,
    to: string,
    picks: (parsed: ReturnType<typeof parse>) => unknown,
    value: unknown,
  ][] = [
    [
      'log',
      'http:\n',
      'log: { level: WARN, formatter: logstash, fields: { site: office }, accesslog: { disabled: true } }\nhttp:\n',
      ({ log }) => log,
      { level: 'warn', format: 'logstash', fields: { site: 'office' }, access: false },
    ],
    [
      'loglevel, as it was written once',
      'http:\n',
      'loglevel: debug\nhttp:\n',
      ({ log }) => log.level,
      'debug',
    ],
    [
      'draintimeout',
      '  addr: :5000',
      '  addr: :5000\n  draintimeout: 1m30s',
      ({ drainMs }) => drainMs,
      90_000,
    ],
    ['prefix', '  addr: :5000', '  prefix: /cache/', ({ prefix }) => prefix, '/cache/'],
    [
      'debug',
      '  addr: :5000',
      '  debug: { addr: "localhost:5001", prometheus: { enabled: true } }',
      ({ debug }) => debug,
      { listen: { host: 'localhost', port: 5001 }, metricsPath: '/metrics' },
    ],
    [
      'TLS versions and cipher suites',
      '  addr: :5000',
      `  tls: { certificate: ${ca}, key: ${key}, minimumtls: tls1.3, ciphersuites: [TLS_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256] }`,
      ({ tls }) => [tls?.minimum, tls?.ciphers],
      ['TLSv1.3', 'TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256'],
    ],
    [
      'client certificates',
      '  addr: :5000',
      `  tls: { certificate: ${ca}, key: ${key}, clientcas: [${ca}] }`,
      ({ tls }) => tls?.clientCas.length,
      1,
    ],
    [
      'health',
      'http:\n',
      'health: { storagedriver: { enabled: true, interval: 5s, threshold: 2 }, file: [{ file: /run/out, interval: 1s }] }\nhttp:\n',
      ({ health }) => health,
      {
        storage: { intervalMs: 5_000, threshold: 2 },
        files: [{ path: '/run/out', intervalMs: 1_000, threshold: 3 }],
      },
    ],
    [
      'storage in memory',
      '  filesystem:\n    rootdirectory: /var/lib/registry\n',
      '  inmemory:\n',
      ({ rootDirectory }) => rootDirectory,
      undefined,
    ],
    [
      'the default directory',
      '  filesystem:\n    rootdirectory: /var/lib/registry\n',
      '  filesystem: {}\n',
      ({ rootDirectory }) => rootDirectory,
      '/var/lib/registry',
    ],
    [
      'headers',
      '  addr: :5000',
      '  headers: { X-Site: [office] }',
      ({ headers }) => headers,
      { 'X-Site': ['office'] },
    ],
    [
      'timeouts',
      'blobttl: 24h',
      'timeouts: { connect: 2s, idle: 90s }',
      ({ timeouts }) => timeouts,
      { connectMs: 2_000, idleMs: 90_000 },
    ],
  ];
  for (const [what, from, to, picks, value] of cases) {
    it(what, () => {
      assert.ok(page.includes(from));
      assert.deepEqual(picks(parse(page.replace(from, to))), value);
    });
  }
});

describe('keys that cannot be honoured are refused, with what to do', () => {
  const cases: [from: string, to: string, message: RegExp][] = [
    [
      'http:\n',
      'auth: { token: {} }\nhttp:\n',
      /^config\.yml:7: auth: is not supported: signed URLs alone open a cache/,
    ],
    [
      'http:\n',
      'proxy: { remoteurl: x }\nhttp:\n',
      /^config\.yml:7: proxy: is not supported: set middleware\.registry/,
    ],
    [
      'http:\n',
      'notifications: { endpoints: [] }\nhttp:\n',
      /^config\.yml:7: notifications: is not supported: read the line/,
    ],
    [
      '  addr: :5000',
      '  tls: { letsencrypt: {} }',
      /^config\.yml:8: http\.tls\.letsencrypt: is not supported: set http\.tls\.certificate/,
    ],
    ['  addr: :5000', '  net: unix', /^config\.yml:8: http\.net: expected tcp/],
    ['  addr: :5000', '  prefix: registry', /^config\.yml:8: http\.prefix: expected a path such as/],
    [
      '  addr: :5000',
      '  draintimeout: soon',
      /^config\.yml:8: http\.draintimeout: expected a duration such as/,
    ],
    [
      '  addr: :5000',
      '  debug: { prometheus: { enabled: true } }',
      /^config\.yml:8: http\.debug: expected addr/,
    ],
    [
      '  filesystem:',
      '  inmemory:\n  filesystem:',
      /^config\.yml:5: storage\.inmemory: expected one of filesystem and inmemory/,
    ],
    [
      '  addr: :5000',
      `  tls: { certificate: ${ca}, key: ${key}, ciphersuites: [RC4] }`,
      /^config\.yml:8: http\.tls\.ciphersuites\[0\]: RC4 is not supported/,
    ],
  ];
  for (const [from, to, message] of cases) {
    it(to.trim().slice(0, 60), () => assert.throws(() => parse(page.replace(from, to)), { message }));
  }
  it('every problem at once, in the order of the lines', () => {
    const text = page.replace(':5000', 'here').replace('24h', 'soon').replace('version: 0.1', 'version: 0.3');
    assert.throws(
      () => parse(text),
      (error: Error) => {
        assert.deepEqual(
          error.message.split('\n').map((line) => line.split(': ')[0]),
          ['config.yml:1'],
        );
        return true;
      },
    );
  });
  it('aliases that would grow without end', () => {
    const bomb = `${page}x: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n`;
    assert.throws(() => parse(bomb), { message: /^config\.yml:1: YAML: .*alias/i });
  });
});

describe('REGISTRY_ variables override the file', () => {
  const withEnvironment = (environment: Record<string, string>) =>
    parseConfiguration(page, 'config.yml', environment);
  const cases: [
    environment: Record<string, string>,
    picks: (parsed: ReturnType<typeof parse>) => unknown,
    value: unknown,
  ][] = [
    [{ REGISTRY_HTTP_ADDR: ':6000' }, ({ listen }) => listen.port, 6000],
    [{ REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: '/data' }, ({ rootDirectory }) => rootDirectory, '/data'],
    [{ REGISTRY_LOG_LEVEL: 'debug' }, ({ log }) => log.level, 'debug'],
    [{ REGISTRY_LOG_ACCESSLOG_DISABLED: 'true' }, ({ log }) => log.access, false],
    [{ REGISTRY_MIDDLEWARE_REGISTRY_0_OPTIONS_BLOBTTL: '1h' }, ({ blobTtlMs }) => blobTtlMs, 3_600_000],
    [
      { REGISTRY_MIDDLEWARE_REGISTRY_0_OPTIONS_UPSTREAMS: '[https://one.example, https://two.example]' },
      ({ upstreams }) => upstreams,
      [{ originHost: undefined, hosts: ['https://one.example', 'https://two.example'] }],
    ],
    [
      { REGISTRY_MIDDLEWARE_REGISTRY_0_OPTIONS_UPSTREAMS_0_UPSTREAMHOSTS_0: 'https://next.example' },
      ({ upstreams }) => upstreams[0]?.hosts,
      ['https://next.example'],
    ],
    [
      {
        REGISTRY_STORAGE: '{ delete: { enabled: true }, filesystem: { rootdirectory: /a } }',
        REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: '/b',
      },
      ({ rootDirectory }) => rootDirectory,
      '/b',
    ],
    [{ OTHER_HTTP_ADDR: ':6000' }, ({ listen }) => listen.port, 5000],
  ];
  for (const [environment, picks, value] of cases) {
    it(Object.keys(environment).join(', '), () =>
      assert.deepEqual(picks(withEnvironment(environment)), value),
    );
  }

  const wrong: [environment: Record<string, string>, message: RegExp][] = [
    [
      { REGISTRY_HTTP_ADDR: 'here' },
      /^environment variable REGISTRY_HTTP_ADDR: http\.addr: expected \[host\]:port, not here$/,
    ],
    [
      { REGISTRY_HTTP_ADR: ':1' },
      /^environment variable REGISTRY_HTTP_ADR: http\.adr: is not known: did you mean addr\?$/,
    ],
    [
      { REGISTRY_AUTH_TOKEN_REALM: 'x' },
      /^environment variable REGISTRY_AUTH_TOKEN_REALM: auth: is not supported/,
    ],
    [
      { REGISTRY_MIDDLEWARE_REGISTRY_0_OPTIONS_BLOBTTL: 'soon' },
      /^environment variable REGISTRY_MIDDLEWARE_REGISTRY_0_OPTIONS_BLOBTTL: .*expected a positive integer/,
    ],
    [
      { REGISTRY_MIDDLEWARE_REGISTRY_7_NAME: 'x' },
      /^environment variable REGISTRY_MIDDLEWARE_REGISTRY_7_NAME: its name: a number of an item/,
    ],
    [{ REGISTRY_HTTP: '{' }, /^environment variable REGISTRY_HTTP: its value: /],
  ];
  for (const [environment, message] of wrong) {
    it(`${Object.keys(environment)[0]}=${Object.values(environment)[0]} is refused by its name`, () =>
      assert.throws(() => withEnvironment(environment), { message }));
  }

  it('what Kubernetes makes for a service named registry is left alone, and noted', () => {
    const { notes } = withEnvironment({
      REGISTRY_PORT: 'tcp://10.0.0.1:5000',
      REGISTRY_SERVICE_HOST: '10.0.0.1',
    });
    assert.deepEqual(notes, [
      'REGISTRY_PORT is ignored: the configuration has no key port',
      'REGISTRY_SERVICE_HOST is ignored: the configuration has no key service',
    ]);
  });
});

it('the documentation says of every key what becomes of it', () => {
  const documentation = readFileSync(join(import.meta.dirname, '../../docs/cache-configuration.md'), 'utf8');
  const documented = [...documentation.matchAll(/^\| `([^`]+)` \| (honoured|noted|refused) \|/gm)].map(
    ([, path, fate]) => `${path}: ${fate}`,
  );
  const inCode = [
    ...keys.map(({ path, fate }) => `${path}: ${fate}`),
    ...downstreamKeys.map(({ path, fate }) => `options.${path}: ${fate}`),
  ];
  assert.deepEqual(documented.sort(), inCode.sort());
});
