/** The schemas of the contract (JSON Schema 2020-12), as functions that check values. */
import { Ajv2020, type ErrorObject, type Options } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { ContractDocument, Parameter } from './openapi.ts';

/** What is wrong with a value and where: `field` is a path with dots, empty for the value itself. */
export interface Mismatch {
  readonly field: string;
  readonly expectation: string;
}

/** Says what is wrong with a value, if anything is; what checks requests fills in defaults. */
export type Check = (value: unknown) => Mismatch | undefined;

/** A name for the document that its references are resolved in. */
const base = 'contract';

/** Functions are compiled when they are first called, each in a few ms: nobody waits for operations that nobody uses. */
export class ContractSchemas {
  readonly #parameters: Ajv2020;
  readonly #bodies: Ajv2020;
  readonly #answers: Ajv2020;

  constructor({ components: { schemas } }: ContractDocument) {
    const create = (options: Options) => {
      const ajv = new Ajv2020({
        strict: true,
        allowUnionTypes: true,
        validateSchema: false,
        // With the schema that was not met, whose description says it in words.
        verbose: true,
        ...options,
      });
      ajv.addVocabulary(['components', 'example']);
      addFormats.default(ajv);
      return ajv.addSchema({ components: { schemas } }, base);
    };
    this.#parameters = create({ useDefaults: true, coerceTypes: true });
    this.#bodies = create({ useDefaults: true });
    this.#answers = create({});
  }

  /** For an object of texts, one for each parameter that was sent: makes numbers and booleans of them. */
  parameters(parameters: readonly Parameter[]): Check {
    return compiled(this.#parameters, {
      type: 'object',
      properties: Object.fromEntries(parameters.map(({ name, schema }) => [name, schema])),
      required: parameters.flatMap(({ name, required }) => (required ? [name] : [])),
    });
  }

  body(schema: object): Check {
    return compiled(this.#bodies, schema);
  }

  answer(schema: object): Check {
    return compiled(this.#answers, schema);
  }
}

function compiled(ajv: Ajv2020, schema: object): Check {
  let validate: ReturnType<Ajv2020['compile']> | undefined;
  return (value) => {
    validate ??= ajv.compile(withBase(schema));
    if (validate(value)) return undefined;
    return describe(validate.errors?.[0] as ErrorObject);
  };
}

/** References of the document, from outside of it. */
function withBase(schema: object): object {
  return JSON.parse(JSON.stringify(schema), (key, value) => (key === '$ref' ? `${base}${value}` : value));
}

function describe(error: ErrorObject): Mismatch {
  const { instancePath, params } = error;
  const member: string | undefined = params.missingProperty ?? params.additionalProperty;
  const steps = [...instancePath.split('/').slice(1), ...(member === undefined ? [] : [member])];
  return {
    field: steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~')).join('.'),
    expectation: expectationOf(error),
  };
}

function expectationOf({ params, keyword, message = 'not allowed', parentSchema }: ErrorObject): string {
  if (keyword === 'enum') return `${message}: ${params.allowedValues.join(', ')}`;
  // Nobody reads a pattern.
  const words: unknown = keyword === 'pattern' ? parentSchema?.description : undefined;
  if (typeof words !== 'string') return message;
  return `must be ${words.charAt(0).toLowerCase()}${words.slice(1).replaceAll('`', '')}`;
}
