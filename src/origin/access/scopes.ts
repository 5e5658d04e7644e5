/** Scopes: `<type>:<name>:<action>,…` (Docker token spec, "Token scope"). */

export interface Scope {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/** More than any client asks for, and it bounds the work of one request and the size of its token. */
const maximumScopes = 100;

/**
 * Parses `scope` parameters, each of which may hold several scopes separated by spaces. What is not a scope is left
 * out: the spec lets a server grant less than was asked. At most `maximumScopes` are looked at.
 */
export function parseScopes(parameters: readonly string[]): Scope[] {
  const texts = parameters.flatMap((parameter) => parameter.split(' ')).filter((text) => text !== '');
  return texts.slice(0, maximumScopes).flatMap((text) => parseScope(text) ?? []);
}

function parseScope(text: string): Scope | undefined {
  // The name may hold colons (a host with a port): the type ends at the first, the actions begin after the last.
  const match = /^([a-z0-9]+)(?:\([a-z0-9]+\))?:([^\s,]+):([a-z*,]*)$/.exec(text);
  if (match === null) return undefined;
  const [, type, name, actions] = match as unknown as [string, string, string, string];
  return { type, name, actions: [...new Set(actions.split(',').filter((action) => action !== ''))] };
}
