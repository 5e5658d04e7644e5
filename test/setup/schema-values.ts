/** Values that fit a schema of openapi.yaml, and values that do not: for tests that try every operation. */
import fc from 'fast-check';
import { type ContractDocument, resolveReference } from '../../src/origin/api/openapi.ts';

/** What of a JSON schema openapi.yaml uses. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
}

export class SchemaValues {
  readonly #document: ContractDocument;

  constructor(document: ContractDocument) {
    this.#document = document;
  }

  resolve<T extends object>(value: T & { $ref?: string }): T {
    return resolveReference<T>(this.#document, value);
  }

  /** Values that the schema allows. */
  valid(reference: Schema): fc.Arbitrary<unknown> {
    const schema = this.resolve(reference);
    if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
    const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? ['object']);
    return fc.oneof(...types.map((type) => this.#ofType(type, schema)));
  }

  /** Values that the schema refuses. */
  invalid(reference: Schema): fc.Arbitrary<unknown> {
    const schema = this.resolve(reference);
    const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? ['object']);
    const wrong: fc.Arbitrary<unknown>[] = [];
    if (!types.includes('string')) wrong.push(fc.constantFrom('text', ''));
    if (!types.includes('integer')) wrong.push(fc.constantFrom(7, -1, 1e30));
    if (!types.includes('boolean')) wrong.push(fc.boolean());
    if (!types.includes('array')) wrong.push(fc.constantFrom([], ['a']));
    if (!types.includes('object')) wrong.push(fc.constantFrom({}, { toString: 1 }));
    if (!types.includes('null')) wrong.push(fc.constant(null));
    if (schema.enum !== undefined) wrong.push(fc.constantFrom('other', 'ADMIN', ' '));
    if (schema.maxLength !== undefined) wrong.push(fc.constant('x'.repeat(schema.maxLength + 1)));
    if ((schema.minLength ?? 0) > 0) wrong.push(fc.constant(''));
    if (schema.properties !== undefined) wrong.push(this.#invalidObject(schema));
    return fc.oneof(...wrong);
  }

  #ofType(type: string, schema: Schema): fc.Arbitrary<unknown> {
    switch (type) {
      case 'null':
        return fc.constant(null);
      case 'boolean':
        return fc.boolean();
      case 'integer':
      case 'number':
        return fc.integer({ min: schema.minimum ?? 0, max: schema.maximum ?? 2000 });
      case 'array':
        return fc.array(this.valid(schema.items ?? { type: 'string' }), {
          minLength: schema.minItems ?? 0,
          maxLength: Math.min(schema.maxItems ?? 3, 3),
        });
      case 'object':
        return this.#validObject(schema);
      default:
        return this.#text(schema);
    }
  }

  #text({ format, pattern, minLength = 0, maxLength = 40 }: Schema): fc.Arbitrary<string> {
    if (format === 'date-time') {
      return fc
        .date({
          min: new Date('2020-01-01T00:00:00Z'),
          max: new Date('2040-01-01T00:00:00Z'),
          noInvalidDate: true,
        })
        .map((date) => date.toISOString());
    }
    if (format === 'uuid') return fc.uuid();
    const fits = (text: string) => text.length >= minLength && text.length <= maxLength;
    if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern)).filter(fits);
    return fc.string({ minLength, maxLength: Math.min(maxLength, 40), unit: 'grapheme' }).filter(fits);
  }

  #validObject({ properties = {}, required = [] }: Schema): fc.Arbitrary<Record<string, unknown>> {
    const members = Object.entries(properties).map(([name, schema]) => [name, this.valid(schema)] as const);
    return fc.record(Object.fromEntries(members), { requiredKeys: [...required], noNullPrototype: true });
  }

  /** One thing wrong: a member that nobody knows, one of the wrong kind, or one that is missing. */
  #invalidObject(schema: Schema): fc.Arbitrary<unknown> {
    const { properties = {}, required = [], additionalProperties } = schema;
    const wrong: fc.Arbitrary<unknown>[] = [];
    if (additionalProperties === false) {
      wrong.push(this.#validObject(schema).map((value) => ({ ...value, password_hash: 'x' })));
    }
    for (const name of required) {
      wrong.push(this.#validObject(schema).map((value) => ({ ...value, [name]: undefined })));
    }
    for (const [name, member] of Object.entries(properties)) {
      const both = fc.tuple(this.#validObject(schema), this.invalid(member));
      wrong.push(both.map(([value, bad]) => ({ ...value, [name]: bad })));
    }
    return fc.oneof(...wrong);
  }
}
