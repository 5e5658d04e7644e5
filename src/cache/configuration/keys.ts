/**
 * Every key that a Docker Registry configuration file may have, and what becomes of it here. docs/cache-configuration.md
 * has the same table for people; a test holds one against the other.
 */

/** `honoured`: does what it says. `noted`: accepted, means nothing for a cache, and the log says so. `refused`: stops the start. */
type Fate = 'honoured' | 'noted' | 'refused';

export interface Key {
  /** `[]` stands for the items of a list, `*` for names of the admin's choice. */
  readonly path: string;
  readonly fate: Fate;
  /** Why it means nothing, or what to do instead. */
  readonly why?: string;
}

const noPushes = 'a cache takes no pushes';
const onlyDirectory = 'a cache stores in a directory: use storage.filesystem';

export const keys: readonly Key[] = [
  ...honoured('version', 'log.level', 'loglevel', 'log.formatter', 'log.fields.*', 'log.accesslog.disabled'),
  noted('log.reportcaller', 'lines do not say where in the program they were written'),
  refused('log.hooks', 'read the log from standard output and send mail from there'),
  ...honoured('storage.filesystem.rootdirectory', 'storage.inmemory', 'storage.delete.enabled'),
  noted(
    'storage.filesystem.maxthreads',
    'four file operations run at a time; the environment variable UV_THREADPOOL_SIZE changes that',
  ),
  noted('storage.redirect', 'a cache serves blobs itself'),
  noted('storage.cache', 'small blobs are kept in memory by themselves'),
  noted('storage.maintenance', noPushes),
  noted('storage.tag', 'a cache has no tags'),
  ...['azure', 'gcs', 's3', 's3aws', 'swift', 'oss', 'cos', 'testdriver', 'middleware'].map((driver) =>
    refused(`storage.${driver}`, onlyDirectory),
  ),
  ...honoured('http.addr', 'http.host', 'http.net', 'http.prefix', 'http.draintimeout', 'http.headers.*[]'),
  noted('http.secret', 'a cache holds no secret'),
  noted('http.relativeurls', 'a cache gives no addresses of its own'),
  noted('http.http2', 'a cache speaks HTTP/1.1'),
  ...honoured('http.tls.certificate', 'http.tls.key', 'http.tls.clientcas[]', 'http.tls.minimumtls'),
  ...honoured('http.tls.ciphersuites[]'),
  noted('http.tls.clientauth', 'with clientcas a client must show a certificate of them'),
  refused('http.tls.letsencrypt', 'set http.tls.certificate and http.tls.key'),
  refused('http.h2c', 'a cache speaks HTTP/1.1'),
  ...honoured('http.debug.addr', 'http.debug.prometheus.enabled', 'http.debug.prometheus.path'),
  ...['enabled', 'interval', 'threshold'].flatMap((key) => honoured(`health.storagedriver.${key}`)),
  ...['file', 'interval', 'threshold'].flatMap((key) => honoured(`health.file[].${key}`)),
  refused('health.http', 'a cache asks nobody but its upstreams: check the other service where it runs'),
  refused('health.tcp', 'a cache asks nobody but its upstreams: check the other service where it runs'),
  refused('notifications', 'read the line per pull in the log, or the metrics at http.debug'),
  refused('auth', 'signed URLs alone open a cache: remove it'),
  refused('proxy', 'set middleware.registry with the name downstream'),
  refused('reporting', 'read the log from standard output'),
  noted('redis', 'a cache needs no redis'),
  noted('catalog', 'a cache has no catalog'),
  noted('compatibility', noPushes),
  noted('validation', noPushes),
  noted('policy', noPushes),
  ...honoured('middleware.registry[].name', 'middleware.registry[].options'),
  refused('middleware.repository', 'the one middleware is registry: downstream'),
  refused('middleware.storage', 'the one middleware is registry: downstream'),
];

/** The options of the middleware `downstream`: the original's, then ours. */
export const downstreamKeys: readonly Key[] = honoured(
  ...['blobttl', 'upstreams[]', 'upstreams[].originhost', 'upstreams[].upstreamhosts[]', 'cas[]'],
  ...['maxage', 'maxsize', 'highwatermark', 'lowwatermark', 'maxfills'],
  ...['timeouts.connect', 'timeouts.idle'],
);

function honoured(...paths: string[]): Key[] {
  return paths.map((path) => ({ path, fate: 'honoured' }));
}

function noted(path: string, why: string): Key {
  return { path, fate: 'noted', why };
}

function refused(path: string, why: string): Key {
  return { path, fate: 'refused', why };
}
