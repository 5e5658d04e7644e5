/** The values that honoured keys may have. Which keys there are at all, keys.ts says. */
import { z } from 'zod';

const level = z
  .string()
  .toLowerCase()
  .pipe(z.enum(['error', 'warn', 'info', 'debug']));
const duration = z.union([z.string(), z.number()]);
const enabled = z.boolean().optional();
const checked = { interval: duration.optional(), threshold: z.int().min(1).optional() };

const downstream = z.looseObject({
  blobttl: duration.optional(),
  upstreams: z
    .array(
      z.union([
        z.string(),
        z.looseObject({ originhost: z.string(), upstreamhosts: z.array(z.string()).optional() }),
      ]),
    )
    .min(1, 'expected at least one upstream'),
  cas: z.array(z.string()).optional(),
  maxage: duration.optional(),
  maxsize: z.union([z.string(), z.number()]).optional(),
  highwatermark: z.union([z.string(), z.number()]).optional(),
  lowwatermark: z.union([z.string(), z.number()]).optional(),
  maxfills: z.int().min(1).optional(),
  timeouts: z.looseObject({ connect: duration.optional(), idle: duration.optional() }).optional(),
});

export const configurationFile = z.looseObject({
  version: z.union([z.literal(0.1), z.literal('0.1')], 'expected 0.1'),
  loglevel: level.optional(),
  log: z
    .looseObject({
      level: level.optional(),
      formatter: z.enum(['text', 'json', 'logstash']).optional(),
      fields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
      accesslog: z.looseObject({ disabled: enabled }).optional(),
    })
    .optional(),
  storage: z.looseObject({
    filesystem: z.looseObject({ rootdirectory: z.string().optional() }).optional(),
    inmemory: z.unknown().optional(),
    delete: z.looseObject({ enabled }).optional(),
  }),
  http: z
    .looseObject({
      addr: z.string().optional(),
      host: z.string().optional(),
      net: z.literal('tcp', 'expected tcp: a cache does not listen on unix sockets').optional(),
      prefix: z
        .string()
        .regex(/^\/(?:[\w.-]+\/)*$/, 'expected a path such as /registry/')
        .optional(),
      draintimeout: duration.optional(),
      headers: z.record(z.string(), z.array(z.string())).optional(),
      tls: z
        .looseObject({
          certificate: z.string(),
          key: z.string(),
          clientcas: z.array(z.string()).optional(),
          minimumtls: z.enum(['tls1.0', 'tls1.1', 'tls1.2', 'tls1.3']).optional(),
          ciphersuites: z.array(z.string()).optional(),
        })
        .optional(),
      debug: z
        .looseObject({
          addr: z.string().optional(),
          prometheus: z.looseObject({ enabled, path: z.string().startsWith('/').optional() }).optional(),
        })
        .optional(),
    })
    .optional(),
  health: z
    .looseObject({
      storagedriver: z.looseObject({ enabled, ...checked }).optional(),
      file: z.array(z.looseObject({ file: z.string(), ...checked })).optional(),
    })
    .optional(),
  middleware: z.looseObject({
    registry: z
      .array(
        z.looseObject({
          name: z.literal('downstream', 'expected downstream, the only middleware of a content cache'),
          options: downstream,
        }),
      )
      .length(1, 'expected one middleware, named downstream'),
  }),
});

export type ConfigurationFile = z.infer<typeof configurationFile>;
export type DownstreamOptions = z.infer<typeof downstream>;
