/** Where to go after signing in: a path of this site, whatever the address says (threats.md, B14). */
export function nextPath(search: string, origin: string): string {
  const next = new URLSearchParams(search).get('next') ?? '';
  const url = next.startsWith('/') ? URL.parse(next, origin) : null;
  if (url === null || url.origin !== origin) return '/';
  // `/..//host` is `//host` by now, which a browser takes for another site.
  return url.pathname.startsWith('//') ? '/' : `${url.pathname}${url.search}${url.hash}`;
}
