import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { parseRoute } from '../../../src/shared/distribution/route.ts';

const hex = 'a'.repeat(64);
const digest = `sha256:${hex}`;

const routes: [path: string, route: object][] = [
  ['/v2/', { kind: 'base' }],
  ['/v2', { kind: 'base' }],
  ['/v2/_catalog', { kind: 'catalog' }],
  [
    '/v2/acme/web/manifests/latest',
    { kind: 'manifest', repository: 'acme/web', reference: { tag: 'latest' } },
  ],
  [`/v2/acme/web/manifests/${digest}`, { kind: 'manifest', repository: 'acme/web', reference: { digest } }],
  [`/v2/acme/web/blobs/${digest}`, { kind: 'blob', repository: 'acme/web', digest }],
  [`/v2/acme/web/blobs/sha256%3A${hex}`, { kind: 'blob', repository: 'acme/web', digest }],
  ['/v2/acme/web/blobs/uploads/', { kind: 'uploads', repository: 'acme/web' }],
  ['/v2/acme/web/blobs/uploads', { kind: 'uploads', repository: 'acme/web' }],
  ['/v2/acme/web/blobs/uploads/one', { kind: 'upload', repository: 'acme/web', session: 'one' }],
  ['/v2/acme/web/tags/list', { kind: 'tags', repository: 'acme/web' }],
  [`/v2/acme/web/referrers/${digest}`, { kind: 'referrers', repository: 'acme/web', digest }],
  [
    '/v2/manifests/blobs/manifests/tags',
    { kind: 'manifest', repository: 'manifests/blobs', reference: { tag: 'tags' } },
  ],
  [`/v2/blobs/uploads/blobs/${digest}`, { kind: 'blob', repository: 'blobs/uploads', digest }],
];
for (const [path, route] of routes) {
  it(`${path} asks for a ${JSON.stringify(route)}`, () => assert.deepEqual(parseRoute(path), route));
}

const refused: [path: string, code: string][] = [
  ['/v2/../manifests/latest', 'name-invalid'],
  ['/v2/a/../b/manifests/latest', 'name-invalid'],
  ['/v2/..%2f..%2fetc/manifests/latest', 'name-invalid'],
  ['/v2/a%2fb/manifests/latest', 'name-invalid'],
  ['/v2/a%00/manifests/latest', 'name-invalid'],
  ['/v2/a%ff/manifests/latest', 'name-invalid'],
  ['/v2/a%252fb/manifests/latest', 'name-invalid'],
  ['/v2/Acme/web/manifests/latest', 'name-invalid'],
  [`/v2/${'a'.repeat(256)}/manifests/latest`, 'name-invalid'],
  ['/v2//manifests/latest', 'name-invalid'],
  ['/v2/acme/web/manifests/.latest', 'tag-invalid'],
  ['/v2/acme/web/manifests/-latest', 'tag-invalid'],
  [`/v2/acme/web/manifests/${'t'.repeat(129)}`, 'tag-invalid'],
  ['/v2/acme/web/blobs/sha256:..', 'digest-invalid'],
  [`/v2/acme/web/blobs/sha256:${'a'.repeat(63)}`, 'digest-invalid'],
  [`/v2/acme/web/blobs/sha256:${'a'.repeat(65)}`, 'digest-invalid'],
  [`/v2/acme/web/blobs/sha256:${'A'.repeat(64)}`, 'digest-invalid'],
  [`/v2/acme/web/blobs/SHA256:${hex}`, 'digest-invalid'],
  [`/v2/acme/web/blobs/md5:${'a'.repeat(32)}`, 'digest-invalid'],
  ['/v2/acme/web', 'path-unknown'],
  ['/v2/acme/web/tags/other', 'path-unknown'],
];
for (const [path, code] of refused) {
  it(`${path.slice(0, 80)} is refused: ${code}`, () => assert.throws(() => parseRoute(path), { code }));
}

it('gives a name, a tag or a digest of the grammar for any path, or refuses it with an error of its own', () => {
  const part = fc.oneof(
    fc.string(),
    fc.constantFrom('..', '%2e', 'blobs', 'uploads', 'manifests', 'a', digest, 'tags', 'list'),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      try {
        const route = parseRoute(`/v2/${parts.join('/')}`);
        if ('repository' in route) assert.match(route.repository, /^[a-z0-9]+([._/-]+[a-z0-9]+)*$/);
        if ('repository' in route) assert.ok(!route.repository.includes('..'));
      } catch (error) {
        assert.match((error as { code: string }).code, /^(name|digest|tag)-invalid$|^path-unknown$/);
      }
    }),
  );
});
