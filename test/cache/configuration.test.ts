import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
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
    tls: undefined,
    logLevel: 'info',
    rootDirectory: '/var/lib/registry',
    blobTtlMs: 86_400_000,
    upstreams: [{ originHost: 'https://dtr.example', hosts: [] }],
    headers: {},
    drainMs: 10_000,
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
  assert.equal(configuration.logLevel, 'warn');
  assert.deepEqual(
    configuration.notes.map((note) => note.split(' ')[0]),
    ['http.host', 'http.secret'],
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
    ['an unknown key', 'http:\n', 'httpd: 1\nhttp:\n', /^config\.yml:7: httpd: is not supported/],
    [
      'an unknown option',
      'blobttl: 24h',
      'blobtll: 24h',
      /^config\.yml:13: middleware\.registry\[0\]\.options\.blobtll: is not supported/,
    ],
    [
      'another storage',
      '  filesystem:',
      '  s3: {}\n  filesystem:',
      /^config\.yml:5: storage\.s3: is not supported/,
    ],
    [
      'another middleware',
      'name: downstream',
      'name: upstream',
      /^config\.yml:11: middleware\.registry\[0\]\.name: /,
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
