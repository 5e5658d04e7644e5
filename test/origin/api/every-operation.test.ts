/**
 * Every operation of openapi.yaml, with requests made from its schemas: what fits is answered by the contract, what does not
 * is refused by it, and nothing makes the origin fail (A05, A07, A10, A17).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { loadContract } from '../../../src/origin/api/openapi.ts';
import { type Schema, SchemaValues } from '../../setup/schema-values.ts';
import { startApi } from './api.ts';

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly schema: Schema;
}

interface Operation {
  readonly operationId: string;
  readonly security?: readonly unknown[];
  readonly parameters?: readonly (Parameter & { $ref?: string })[];
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Schema } } };
}

const { document } = loadContract();
const values = new SchemaValues(document);
const api = await startApi();
const runs = { numRuns: 6, seed: 20261125 };
/** Requests need no more than the order that they are sent in: a failure is found again with the seed above. */
const settings = { ...runs, endOnFailure: true };

await api.ask('POST', '/api/v0/accounts', { body: { name: 'acme', isOrg: true } });

/** What paths name: something that is there, something that is not, and what nobody would call anything. */
const pathValue = fc.oneof(
  fc.constantFrom('ann', 'acme', 'nobody', 'web', 'latest'),
  fc.uuid(),
  fc.constantFrom('%00', '..%2f', '%ff', "x'%20OR%201=1--", '%F0%9F%90%B3', 'a'.repeat(255), 'UPPER'),
);

const operations = Object.entries(document.paths).flatMap(([path, item]) => {
  const shared = ((item as { parameters?: Operation['parameters'] }).parameters ?? []).map((parameter) =>
    values.resolve(parameter),
  );
  return (['get', 'put', 'post', 'patch', 'delete'] as const).flatMap((method) => {
    const operation = item[method] as unknown as Operation | undefined;
    if (operation === undefined) return [];
    const own = (operation.parameters ?? []).map((parameter) => values.resolve(parameter));
    return [{ path, method: method.toUpperCase(), operation, parameters: [...shared, ...own] }];
  });
});

/** A path with something in place of each parameter. */
function filledPath(path: string): fc.Arbitrary<string> {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);
  return fc
    .tuple(...names.map(() => pathValue))
    .map((chosen) => names.reduce((text, name, at) => text.replace(`{${name}}`, chosen[at] as string), path));
}

function queryOf(parameters: readonly Parameter[], pick: (schema: Schema) => fc.Arbitrary<unknown>) {
  const members = parameters
    .filter((parameter) => parameter.in === 'query')
    .map((parameter) => [parameter.name, pick(parameter.schema)] as const);
  return fc.record(Object.fromEntries(members), { requiredKeys: [], noNullPrototype: true }).map((query) => {
    const text = new URLSearchParams(
      Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
    );
    return text.size === 0 ? '' : `?${text}`;
  });
}

for (const { path, method, operation, parameters } of operations) {
  const body = operation.requestBody?.content['application/json'].schema;
  describe(`${method} ${path}`, () => {
    it('answers what its schemas allow, as the contract says', async () => {
      const request = fc.record({
        path: filledPath(path),
        query: queryOf(parameters, (schema) => values.valid(schema)),
        body: body === undefined ? fc.constant(undefined) : values.valid(body),
      });
      await fc.assert(
        fc.asyncProperty(request, async (sent) => {
          const answer = await api.ask(method, `${sent.path}${sent.query}`, { body: sent.body });
          assert.ok(answer.status < 500, `${sent.path}${sent.query}: ${answer.text}`);
          assert.notEqual(answer.status, 415);
        }),
        settings,
      );
    });

    if (body !== undefined) {
      it('refuses a body that its schema does not allow, naming what is wrong', async () => {
        await fc.assert(
          fc.asyncProperty(values.invalid(body), async (bad) => {
            const answer = await api.ask(method, path.replaceAll(/\{\w+\}/g, 'ann'), {
              raw: JSON.stringify(bad),
            });
            assert.equal(answer.status, 400, `${JSON.stringify(bad)}: ${answer.status} ${answer.text}`);
            assert.doesNotMatch(answer.text, /select|insert|sqlite|\bat .*\.ts/i);
          }),
          settings,
        );
      });
    }

    if (parameters.some((parameter) => parameter.in === 'query')) {
      it('refuses a query that its schemas do not allow, and parameters that it does not know', async () => {
        const filled = path.replaceAll(/\{\w+\}/g, 'ann');
        const sent = body === undefined ? {} : { body: {} };
        const own = parameters.filter(({ in: where, schema }) => {
          const { type, enum: choices } = values.resolve(schema);
          return where === 'query' && (type !== 'string' || choices !== undefined);
        });
        for (const { name } of own) {
          const answer = await api.ask(method, `${filled}?${name}=%7B%7D`, sent);
          assert.equal(answer.status, 400, `${name}: ${answer.text}`);
          assert.equal(answer.body.errors[0].detail.field, name);
        }
        const doubled = parameters.find((parameter) => parameter.in === 'query') as Parameter;
        for (const query of ['made_up=1', `${doubled.name}=a&${doubled.name}=b`, `${doubled.name}[]=a`]) {
          assert.equal((await api.ask(method, `${filled}?${query}`, sent)).status, 400, query);
        }
      });
    }

    if (operation.security === undefined) {
      it('is for nobody in particular', async () => {
        const answer = await api.ask(method, path.replaceAll(/\{\w+\}/g, 'ann'), { as: 'nobody' });
        assert.equal(answer.status, 401);
      });
    }
  });
}

it('what is not in the contract does not exist', async () => {
  const paths = [
    '/api/v0',
    '/api/v0/',
    '/api/v0/users',
    '/api/v0/content_caches/a/b',
    '/api/v0/debug',
    '/api/v1/accounts',
  ];
  for (const path of paths) {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'TRACE']) {
      const answer = await api.ask(method, path);
      assert.ok([404, 405].includes(answer.status), `${method} ${path}: ${answer.status}`);
    }
  }
});
