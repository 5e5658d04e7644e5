/** The cookie of a session: for this site alone, out of reach of scripts. */
import type { Request, Response } from 'express';

/** Over TLS the prefix makes browsers refuse the cookie from anyone but this very host. */
function nameFor(externalUrl: string): string {
  return isSecure(externalUrl) ? '__Host-dtr_session' : 'dtr_session';
}

function isSecure(externalUrl: string): boolean {
  return externalUrl.startsWith('https:');
}

/** The id of the session that the browser says it has. */
export function sessionIdOf(request: Request, externalUrl: string): string | undefined {
  const name = `${nameFor(externalUrl)}=`;
  const cookies = (request.headers.cookie ?? '').split(';').map((cookie) => cookie.trim());
  return cookies.find((cookie) => cookie.startsWith(name))?.slice(name.length);
}

export function setSessionCookie(response: Response, externalUrl: string, id: string): void {
  response.cookie(nameFor(externalUrl), id, attributes(externalUrl));
}

export function clearSessionCookie(response: Response, externalUrl: string): void {
  response.clearCookie(nameFor(externalUrl), attributes(externalUrl));
}

function attributes(externalUrl: string) {
  return { httpOnly: true, sameSite: 'lax', path: '/', secure: isSecure(externalUrl) } as const;
}
