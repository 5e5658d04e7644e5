/** What the API refused, in its own words, and what to do about it. */
import type { Answer } from './connection.ts';
import { Failure } from './failure.ts';

/** @param asked who asked whom */
export function refusal(answer: Answer, asked: { readonly origin: string; readonly user: string }): Failure {
  const { status } = answer;
  const errors = errorsOf(answer);
  if (errors === undefined) return foreignAnswer(answer, asked.origin);
  if (errors.some(({ code }) => code === 'NO_SUCH_PATH')) {
    return new Failure(
      'failed',
      `${asked.origin} does not know this operation`,
      'is it older than this dtr?',
    );
  }
  const kind = ({ 401: 'notSignedIn', 404: 'notFound' } as const)[status] ?? 'failed';
  const message = errors.map(describe).join('; ');
  // Some messages say more than the status does, and what to do.
  const saysEnough = /try again|not authorized: /.test(message);
  return new Failure(kind, message, saysEnough ? undefined : advice(answer, asked));
}

interface ApiError {
  readonly code: string;
  readonly message: string;
  readonly detail?: { readonly field?: string; readonly requestId?: string };
}

function errorsOf({ text }: Answer): ApiError[] | undefined {
  try {
    const { errors } = JSON.parse(text) as { errors?: ApiError[] };
    return errors?.length === undefined || errors.length === 0 ? undefined : errors;
  } catch {
    return undefined;
  }
}

/** Messages about a field mostly begin with its name already. */
function describe({ code, message, detail }: ApiError): string {
  const field = detail?.field;
  const named = field === undefined || message.startsWith(`${field}:`) ? message : `${field}: ${message}`;
  const request = detail?.requestId === undefined ? '' : `, request ${detail.requestId}`;
  return `${named} (${code}${request})`;
}

function advice(
  { status, headers }: Answer,
  { origin, user }: { origin: string; user: string },
): string | undefined {
  const seconds = headers['retry-after'];
  switch (status) {
    case 401:
      return `sign in anew: dtr login ${origin}`;
    case 403:
      return `${user} may not do this at ${origin}: ask one of its admins, or an owner of the organization`;
    case 404:
      return `it does not exist at ${origin}, or ${user} may not see it`;
    case 412:
      return 'somebody changed it meanwhile: look at it, then run the command again';
    case 429:
    case 503:
      return seconds === undefined ? 'try again later' : `try again in ${seconds} s`;
    default:
      return status >= 500 ? 'an admin finds more by the request in the log of the origin' : undefined;
  }
}

/** Something else answered: a proxy on the way, or another server. */
function foreignAnswer({ status, headers }: Answer, origin: string): Failure {
  const { location } = headers;
  const to = location === undefined ? '' : ` and sends to ${location}`;
  return new Failure(
    'failed',
    `${origin} answered ${status}${to}, not as a DTR does`,
    'check the URL, and what is on the way',
  );
}
