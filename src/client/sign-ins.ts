/**
 * Which origin is asked, and as whom: by the environment, else by the file that `dtr login` writes. That file holds access
 * tokens, never a password.
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { isSystemError } from '../shared/errors.ts';
import type { Credentials } from './api.ts';
import { Failure } from './failure.ts';

export interface SignIn extends Credentials {
  /** PEM of the CA that was given, or fetched, for this origin. */
  readonly ca?: string;
}

interface File {
  /** The origin of the last `dtr login`. */
  readonly current?: string;
  readonly origins: Readonly<Record<string, SignIn>>;
}

export interface Place {
  /** `scheme://host[:port]` */
  readonly origin: string;
  readonly ca: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The origin that was named, else `DTR_URL`, else that of the last `dtr login`. @throws Failure when there is none */
export async function findPlace(named: string | undefined, environment: Environment): Promise<Place> {
  const { current, origins } = await readSignIns(environment);
  const url = named ?? (environment.DTR_URL || undefined) ?? current;
  if (url === undefined) {
    throw new Failure(
      'notSignedIn',
      'not signed in',
      'dtr login <url>; in scripts: set DTR_URL and DTR_TOKEN=<user>:<token>',
    );
  }
  const origin = parseOrigin(url);
  const caFile = environment.DTR_CA_FILE || undefined;
  return { origin, ca: caFile === undefined ? origins[origin]?.ca : await readCa(caFile) };
}

/** `DTR_TOKEN`, else what `dtr login` stored for the origin. @throws Failure when there is neither */
export async function findCredentials(origin: string, environment: Environment): Promise<Credentials> {
  const { DTR_TOKEN: token, DTR_URL: url } = environment;
  // A token beside a URL belongs to that URL: another origin, named on the command line, must not see it.
  if (token && (!url || parseOrigin(url) === origin)) {
    const colon = token.indexOf(':');
    if (colon < 1) throw new Failure('usage', 'DTR_TOKEN: <user>:<token> expected');
    return { user: token.slice(0, colon), secret: token.slice(colon + 1) };
  }
  const stored = (await readSignIns(environment)).origins[origin];
  if (stored === undefined)
    throw new Failure('notSignedIn', `not signed in at ${origin}`, `dtr login ${origin}`);
  return stored;
}

/** What `dtr login` stored for the origin. */
export async function findSignIn(origin: string, environment: Environment): Promise<SignIn | undefined> {
  return (await readSignIns(environment)).origins[origin];
}

/** Makes the origin the current one. */
export async function storeSignIn(origin: string, signIn: SignIn, environment: Environment): Promise<void> {
  const { origins } = await readSignIns(environment);
  await write({ current: origin, origins: { ...origins, [origin]: signIn } }, environment);
}

export async function forgetSignIn(origin: string, environment: Environment): Promise<void> {
  const { current, origins } = await readSignIns(environment);
  const { [origin]: _, ...others } = origins;
  await write(
    { ...(current === undefined || current === origin ? {} : { current }), origins: others },
    environment,
  );
}

/** `dtr.example.com` means `https://dtr.example.com`. @throws Failure when the text is no origin */
export function parseOrigin(text: string): string {
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `https://${text}`);
  const isOrigin =
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    url.username === '' &&
    url.password === '' &&
    `${url.origin}/` === url.href;
  if (!isOrigin) throw new Failure('usage', `${text}: https://<host>[:<port>] expected`);
  return url.origin;
}

/** @throws Failure when the file has no certificate */
export async function readCa(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new Failure('failed', `cannot read ${file}: ${cause.message}`, undefined, cause);
  });
  if (!text.includes('-----BEGIN CERTIFICATE-----'))
    throw new Failure('failed', `${file}: a certificate in PEM expected`);
  return text;
}

function path({ XDG_CONFIG_HOME }: Environment): string {
  return join(XDG_CONFIG_HOME || join(homedir(), '.config'), 'dtr', 'config.json');
}

async function readSignIns(environment: Environment): Promise<File> {
  const file = path(environment);
  try {
    const { current, origins = {} } = JSON.parse(await readFile(file, 'utf8')) as Partial<File>;
    return { ...(current === undefined ? {} : { current }), origins };
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT')) return { origins: {} };
    throw new Failure(
      'failed',
      `cannot read ${file}: ${(cause as Error).message}`,
      'repair it, or remove it and sign in anew',
      cause,
    );
  }
}

/** As a whole: who reads it meanwhile finds the old one or the new one. */
async function write(content: File, environment: Environment): Promise<void> {
  const file = path(environment);
  const temporary = `${file}.${crypto.randomUUID()}`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(temporary, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' });
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new Failure('failed', `cannot write ${file}: ${(cause as Error).message}`, undefined, cause);
  }
}
