/**
 * The web UI: the files that `npm run build` made, and nothing else. A page's address is answered with the one document of
 * the UI, whose script shows the page.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import helmet from 'helmet';
import { findContentCache } from '../content-caches/content-caches.ts';
import type { Database } from '../database.ts';

interface BuiltFile {
  readonly type: string;
  /** The plain form, and those that were compressed at the build. */
  readonly forms: ReadonlyMap<'identity' | 'br' | 'gzip', Buffer>;
}

const types: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
  woff2: 'font/woff2',
};

/** Where the UI has pages. Other addresses are none of its own, but a browser is shown that by the UI, too. */
const pages =
  /^\/(?:|sign-in|getting-started|(?:repositories|organizations|users|admin)(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)*)$/;

/** Where others answer, also that there is nothing. */
const othersPaths = /^\/(?:api|docs|auth|assets|\.well-known)(?:\/|$)/;

/** The script that times the distance of caches. */
const distanceWorker = /^\/assets\/distance-worker-[A-Za-z0-9_-]+\.js$/;
const maximumCachesMeasured = 30;

const built = join(import.meta.dirname, '../../../dist/ui');

export function createUi(options: { database: Database; directory?: string }): Router {
  const files = readBuild(options.directory ?? built);
  const document = files.get('/index.html');
  files.delete('/index.html');
  const routes = Router({ caseSensitive: true, strict: true });
  routes.use(async (request, response, next) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return next();
    const file = files.get(request.path);
    if (file !== undefined) {
      fileHeaders(request, response, () => {});
      if (distanceWorker.test(request.path)) await allowMeasuring(request, response, options.database);
      else response.setHeader('Cache-Control', request.path.startsWith('/assets/') ? forEver : 'no-cache');
      return sendFile(request, response, file);
    }
    const isPage = pages.test(request.path);
    if (!isPage && !(isForBrowser(request) && !othersPaths.test(request.path))) return next();
    pageHeaders(request, response, () => {});
    response.setHeader('Cache-Control', 'no-store');
    response.status(document === undefined ? 503 : isPage ? 200 : 404);
    if (document === undefined) response.type('text/plain').send(notBuilt);
    else sendFile(request, response, document);
  });
  return routes;
}

/** For files that have the hash of their content in their names. */
const forEver = 'public, max-age=31536000, immutable';

function isForBrowser(request: Request): boolean {
  return request.headers.accept?.includes('text/html') === true;
}

const notBuilt = 'The web UI is not built. Run "npm run build" beside the program, and start it again.\n';

/** Each file by its path, as an address has it. Empty when the UI is not built. */
function readBuild(directory: string): Map<string, BuiltFile> {
  const files = new Map<string, BuiltFile>();
  for (const name of listFiles(directory)) {
    const type = types[name.slice(name.lastIndexOf('.') + 1)];
    if (type === undefined) continue;
    const forms: [name: 'identity' | 'br' | 'gzip', bytes: Buffer | undefined][] = [
      ['identity', readIfThere(join(directory, name))],
      ['br', readIfThere(join(directory, `${name}.br`))],
      ['gzip', readIfThere(join(directory, `${name}.gz`))],
    ];
    const there = forms.filter((form): form is [(typeof form)[0], Buffer] => form[1] !== undefined);
    files.set(`/${name}`, { type, forms: new Map(there) });
  }
  return files;
}

function listFiles(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

function sendFile(request: Request, response: Response, { type, forms }: BuiltFile): void {
  const accepted = request.acceptsEncodings();
  const form =
    (['br', 'gzip'] as const).find((name) => accepted.includes(name) && forms.has(name)) ?? 'identity';
  response.setHeader('Content-Type', type);
  response.setHeader('Vary', 'Accept-Encoding');
  if (form !== 'identity') response.setHeader('Content-Encoding', form);
  response.end(forms.get(form));
}

const self = "'self'";
const none = "'none'";

/** The certificate may be of a CA that only some of the people trust yet: no browser is bound to it for a year. */
const common = { referrerPolicy: { policy: 'no-referrer' }, strictTransportSecurity: false } as const;

const pageHeaders: RequestHandler = helmet({
  ...common,
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: [none],
      scriptSrc: [self],
      styleSrc: [self],
      imgSrc: [self, 'data:'],
      connectSrc: [self],
      fontSrc: [self],
      formAction: [self],
      baseUri: [none],
      frameAncestors: [none],
    },
  },
});

const fileHeaders: RequestHandler = helmet({
  ...common,
  contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: [none], frameAncestors: [none] } },
});

/**
 * A worker has a policy of its own: only this script may reach caches, and only those whose ids it was asked with. So the
 * pages keep theirs, and nobody learns of a cache's host who does not know its id already.
 */
async function allowMeasuring(request: Request, response: Response, database: Database): Promise<void> {
  const ids = new URL(request.url, 'http://origin').searchParams
    .getAll('cache')
    .slice(0, maximumCachesMeasured);
  const found = await Promise.all(ids.map((id) => findContentCache(database.queries, id))).catch(() => []);
  const hosts = found.flatMap((cache) => (cache === undefined ? [] : [cache.host]));
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader(
    'Content-Security-Policy',
    `default-src 'none'; connect-src ${hosts.length > 0 ? hosts.join(' ') : none}`,
  );
}
