import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ContractSchemas } from '../../../src/origin/api/contract-schemas.ts';
import { loadContract, type Parameter } from '../../../src/origin/api/openapi.ts';

const schemas = new ContractSchemas({
  openapi: '3.1.0',
  paths: {},
  components: {
    securitySchemes: {},
    schemas: {
      Team: {
        type: 'object',
        required: ['name'],
        additionalProperties: false,
        properties: {
          name: { type: 'string', minLength: 1 },
          alias: { type: 'string', pattern: '^[a-z]+$', description: 'Lower-case letters, such as `web`' },
          visibility: { type: 'string', enum: ['public', 'private'], default: 'private' },
          members: { type: 'array', items: { $ref: '#/components/schemas/Member' } },
        },
      },
      Member: { type: 'object', properties: { id: { type: 'string', format: 'uuid' } } },
    },
  },
});
const team = { $ref: '#/components/schemas/Team' };
const parameter = (name: string, schema: object, required = false): Parameter => ({
  name,
  in: 'query',
  required,
  schema,
});

describe('bodies', () => {
  for (const [body, field, expectation] of [
    [{}, 'name', /required property/],
    [{ name: '' }, 'name', /fewer than 1/],
    [{ name: 7 }, 'name', /must be string/],
    [{ name: 'a', alias: 'A' }, 'alias', /^must be lower-case letters, such as web$/],
    [{ name: 'a', nmae: 'b' }, 'nmae', /additional/],
    [{ name: 'a', visibility: 'secret' }, 'visibility', /allowed values: public, private$/],
    [{ name: 'a', members: [{}, { id: 'x' }] }, 'members.1.id', /uuid/],
    [{ name: 'a', 'x/y~z': 1 }, 'x/y~z', /additional/],
    [[], '', /must be object/],
    [null, '', /must be object/],
  ] as const) {
    it(`${JSON.stringify(body)}: names ${field === '' ? 'no field' : field}`, () => {
      const mismatch = schemas.body(team)(body);
      assert.equal(mismatch?.field, field);
      assert.match(mismatch?.expectation ?? '', expectation);
    });
  }

  it('get the defaults that they leave out', () => {
    const body = { name: 'a' };
    assert.equal(schemas.body(team)(body), undefined);
    assert.deepEqual(body, { name: 'a', visibility: 'private' });
  });
});

describe('parameters', () => {
  const check = schemas.parameters([
    parameter('size', { type: 'integer', minimum: 1, default: 10 }),
    parameter('count', { type: 'boolean' }),
    parameter('q', { type: 'string' }, true),
  ]);

  it('become numbers and booleans, and get their defaults', () => {
    const query = { count: 'true', q: '12' };
    assert.equal(check(query), undefined);
    assert.deepEqual(query, { count: true, q: '12', size: 10 });
  });

  for (const [query, field] of [
    [{ q: 'a', size: '0' }, 'size'],
    [{ q: 'a', size: '1.5' }, 'size'],
    [{ q: 'a', size: '' }, 'size'],
    [{ q: 'a', count: 'yes' }, 'count'],
    [{ q: ['a', 'b'] }, 'q'],
    [{}, 'q'],
  ] as const) {
    it(`${JSON.stringify(query)}: names ${field}`, () => {
      assert.equal(check({ ...query })?.field, field);
    });
  }
});

it('answers get nothing added', () => {
  const answer = { name: 'a' };
  assert.equal(schemas.answer(team)(answer), undefined);
  assert.deepEqual(answer, { name: 'a' });
});

describe('the schemas of openapi.yaml', () => {
  const { document } = loadContract();
  const real = new ContractSchemas(document);

  for (const name of Object.keys(document.components.schemas)) {
    it(`${name} has no keyword, format or reference that is not known`, () => {
      assert.doesNotThrow(() => real.answer({ $ref: `#/components/schemas/${name}` })({}));
    });
  }
});
