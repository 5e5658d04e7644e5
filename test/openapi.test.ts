/** The contract and the origin agree: each operation has a route, each route an operation. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Express, Router } from 'express';
import { Authenticator } from '../src/origin/accounts/authenticate.ts';
import { Passwords } from '../src/origin/accounts/passwords.ts';
import { defaultSignInLimits, SignInLimits } from '../src/origin/accounts/sign-in-limits.ts';
import { contractMethods, loadContract, resolveReference } from '../src/origin/api/openapi.ts';
import { createApi } from '../src/origin/api/router.ts';
import type { CacheHealth } from '../src/origin/content-caches/health.ts';
import type { Redirector } from '../src/origin/content-caches/redirect.ts';
import { openDatabase } from '../src/origin/database.ts';
import type { Jobs } from '../src/origin/jobs/jobs.ts';
import { DirectoryBlobStore } from '../src/shared/blob-store/directory.ts';
import { systemClock } from '../src/shared/clock.ts';
import { keepingLogger } from './setup/logger.ts';
import { tempDirectory } from './setup/temp-directory.ts';

const { document } = loadContract();

const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  contractMethods.flatMap((method) => {
    const operation = item[method];
    return operation === undefined ? [] : [{ name: `${method.toUpperCase()} ${path}`, operation }];
  }),
);

describe('openapi.yaml', () => {
  it('names exactly the routes that the API answers', async () => {
    const routes = new Set(await routesOfApi());
    assert.deepEqual([...routes].sort(), operations.map(({ name }) => name).sort());
  });

  for (const { name, operation } of operations) {
    it(`${name} says who may, what comes back, and every way to fail, with an example of each`, () => {
      assert.match(operation.operationId ?? '', /^[A-Z][A-Za-z]+$/);
      assert.equal(operation.tags?.length, 1);
      assert.ok(operation.summary);
      assert.ok(operation.description);
      const statuses = Object.keys(operation.responses);
      const expected = ['400', '401', '403', '405', '406', '429', '500', '503'];
      if (operation.requestBody !== undefined) expected.push('413', '415');
      assert.deepEqual(
        expected.filter((status) => !statuses.includes(status)),
        [],
      );
      assert.equal(statuses.filter((status) => status.startsWith('2')).length, 1);
      for (const [status, response] of Object.entries(operation.responses)) {
        if (status === '204') continue;
        const { content } = resolveReference(document, response);
        assert.deepEqual(Object.keys(content ?? {}), ['application/json'], status);
        assert.ok('example' in (content?.['application/json'] ?? {}), `${status} has no example`);
      }
    });
  }

  it('describes no methods but those', () => {
    const others = Object.values(document.paths).flatMap((item) =>
      Object.keys(item).filter((key) => ![...contractMethods, 'parameters'].includes(key)),
    );
    assert.deepEqual(others, []);
  });

  it('uses each operation id once', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    assert.equal(new Set(ids).size, ids.length);
  });
});

/** What express would answer below `/api/v0`, read from its routers; the guards before them have the same paths. */
async function routesOfApi(): Promise<string[]> {
  const directory = await tempDirectory();
  const database = await openDatabase(directory);
  const passwords = new Passwords();
  const limits = new SignInLimits(defaultSignInLimits, systemClock);
  const app = createApi({
    database,
    blobStore: new DirectoryBlobStore(directory),
    passwords,
    // The routes are only looked at.
    health: {} as CacheHealth,
    redirector: {} as Redirector,
    jobs: {} as Jobs,
    authenticator: new Authenticator({ database, passwords, limits, clock: systemClock }),
    findApiToken: async () => undefined,
    findSession: async () => undefined,
    externalUrl: 'https://dtr.example.com',
    system: { logLevel: 'info', ca: undefined, replicaId: '000000000000' },
    clock: systemClock,
    logger: keepingLogger().logger,
  });
  await database.close();
  const routers = (app as Express & { router: Router }).router.stack
    .map(({ handle }) => handle as Partial<Router>)
    .filter(({ stack }) => stack !== undefined);
  return routers.flatMap(({ stack }) =>
    (stack ?? []).flatMap(({ route }) => {
      // Guards are for several paths at once.
      if (typeof route?.path !== 'string' || !route.path.startsWith('/api/')) return [];
      const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
      // What finds the operation of a path is for all methods.
      return route.stack.flatMap(({ method }) => (method ? [`${method.toUpperCase()} ${path}`] : []));
    }),
  );
}
