import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseCacheHost } from '../../../src/origin/content-caches/cache-host.ts';

describe('the host of a content cache', () => {
  for (const [text, canonical] of [
    ['http://203.0.113.7:5000', 'http://203.0.113.7:5000'],
    ['https://cache.example.com', 'https://cache.example.com'],
    ['https://cache.example.com/', 'https://cache.example.com'],
    ['HTTPS://Cache.Example.COM:443', 'https://cache.example.com'],
    ['http://cache:80', 'http://cache'],
    ['https://cache:80', 'https://cache:80'],
    ['http://cache:', 'http://cache'],
    ['http://[2001:DB8::1]:5000', 'http://[2001:db8::1]:5000'],
    ['http://bücher.example', 'http://xn--bcher-kva.example'],
    ['http://0x7f.1:5000', 'http://127.0.0.1:5000'],
    ['http://127.0.0.1.:5000', 'http://127.0.0.1:5000'],
    ['http://cache.svc.cluster.local:5000', 'http://cache.svc.cluster.local:5000'],
  ] as const) {
    it(`${text} is kept as ${canonical}`, () => assert.equal(parseCacheHost(text), canonical));
  }

  for (const text of [
    'cache:5000',
    'http:cache',
    'http:/cache',
    'http://',
    'http://:5000',
    'http://cache:port',
    'http://cache:65536',
    'http://cache:-1',
    'http://cache:0',
    'http://cache:00',
    'http://cache.',
    'http://cache.:5000',
    'http://user@cache',
    'http://@cache',
    'http://cache/path',
    'http://cache//',
    'http://cache/..',
    'http://cache?',
    'http://cache#',
    'http://cache\\@evil',
    'http:\\\\cache',
    'http://ca che',
    'http://cache\n',
    'http://cache\u0000',
    'http://cache\u0085',
    'http://cache\u2028',
    'http://ca%2fche',
    'http://%00',
    'http://[::1',
    'http://[fe80::1%25eth0]',
    'http://256.1.1.1',
    `http://${'a'.repeat(2050)}`,
    'ws://cache',
    'javascript:alert(1)//',
  ]) {
    it(`${JSON.stringify(text).slice(0, 40)} is refused`, () => {
      assert.throws(() => parseCacheHost(text), {
        name: 'DomainError',
        code: 'input-invalid',
        detail: { field: 'host' },
      });
    });
  }

  it('whatever is accepted is an address alone, and what it redirects to is what is shown (A02)', () => {
    const piece = fc.constantFrom(
      ...[
        'http',
        'HTTPS',
        ':',
        '/',
        '//',
        '://',
        '\\',
        '@',
        '?',
        '#',
        '.',
        '%',
        '%2f',
        '%40',
        '[',
        ']',
        '::1',
      ],
      ...[
        'h',
        'evil',
        'user',
        '5000',
        '0',
        '80',
        '65536',
        ' ',
        '\t',
        '\r\n',
        '\u0000',
        '\u3002',
        '\u200b',
        'ß',
        'é',
      ],
    );
    const mutation = fc.oneof(
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
      fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join('')),
      fc.array(piece, { maxLength: 6 }).map((pieces) => `http://${pieces.join('')}`),
      fc.string({ unit: 'binary' }).map((text) => `http://h${text}`),
    );
    let accepted = 0;
    fc.assert(
      fc.property(mutation, (text) => {
        let host: string;
        try {
          host = parseCacheHost(text);
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'input-invalid');
          return;
        }
        accepted += 1;
        const location = new URL(`${host}/v2/acme/web/blobs/x?token=t`);
        assert.equal(location.origin, host);
        assert.equal(location.pathname, '/v2/acme/web/blobs/x');
        assert.equal(location.username + location.password + location.hash, '');
        assert.match(host, /^https?:\/\/[\x21-\x7e]+$/);
        assert.equal(parseCacheHost(host), host);
      }),
      { numRuns: 5_000 },
    );
    assert.ok(accepted > 50, `only ${accepted} were accepted: the test says little`);
  });
});
