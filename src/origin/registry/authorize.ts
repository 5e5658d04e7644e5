/** May this request do that? Bearer tokens, and the challenge that tells a client where to get one. */
import type { RepositoryName } from '../../shared/distribution/repository-name.ts';
import { DomainError } from '../../shared/errors.ts';
import type { Action } from '../access/levels.ts';
import type { GrantedAccess, RegistryTokenClaims, RegistryTokens } from '../keys/registry-token.ts';
import type { Exchange } from './exchange.ts';

export class Authorizer {
  readonly #tokens: RegistryTokens;
  readonly #realm: string;
  readonly #service: string;
  readonly #findRepositoryId: (name: RepositoryName) => Promise<string | undefined>;

  /** `realm` is the URL of the token server. */
  constructor(options: {
    tokens: RegistryTokens;
    realm: string;
    service: string;
    findRepositoryId: (name: RepositoryName) => Promise<string | undefined>;
  }) {
    this.#findRepositoryId = options.findRepositoryId;
    this.#tokens = options.tokens;
    this.#realm = options.realm;
    this.#service = options.service;
  }

  /**
   * The claims of a token that grants the action. A repository that the caller may not see is refused in the
   * same way as one that does not exist. A token for a repository that was deleted does not open one made later.
   * @throws DomainError `not-authenticated`, the challenge set on the response
   */
  async authorize(
    exchange: Exchange,
    repository: RepositoryName,
    action: Action,
  ): Promise<RegistryTokenClaims> {
    const claims = this.authenticate(exchange, `repository:${repository}:${challengedActions[action]}`);
    const access = findAccess(claims, 'repository', repository, action);
    if (access !== undefined && (await this.#isOfThis(access, repository))) return claims;
    throw this.#challenge(exchange, `repository:${repository}:${challengedActions[action]}`, true);
  }

  /** The claims of a token that lists the catalog. @throws DomainError `not-authenticated` */
  authorizeCatalog(exchange: Exchange): RegistryTokenClaims {
    const claims = this.authenticate(exchange, 'registry:catalog:*');
    if (findAccess(claims, 'registry', 'catalog', '*') !== undefined) return claims;
    throw this.#challenge(exchange, 'registry:catalog:*', true);
  }

  /** The claims of any live token. @throws DomainError `not-authenticated` */
  authenticate(exchange: Exchange, scope?: string): RegistryTokenClaims {
    const header = exchange.request.headers.authorization;
    const scheme = header === undefined ? null : /^Bearer +/i.exec(header);
    const claims = scheme === null ? undefined : this.#tokens.verify(scheme.input.slice(scheme[0].length));
    if (claims === undefined) throw this.#challenge(exchange, scope, false);
    if (claims.subject !== '') exchange.record.user = claims.subject;
    return claims;
  }

  async #isOfThis({ repositoryId }: GrantedAccess, name: RepositoryName): Promise<boolean> {
    return repositoryId === undefined || repositoryId === (await this.#findRepositoryId(name));
  }

  /** `known`: the token is good but does not reach so far (RFC 6750, `insufficient_scope`). */
  #challenge(exchange: Exchange, scope: string | undefined, known: boolean): DomainError {
    const parts = [`realm="${this.#realm}"`, `service="${this.#service}"`];
    if (scope !== undefined) parts.push(`scope="${scope}"`);
    if (known) parts.push('error="insufficient_scope"');
    else if (exchange.request.headers.authorization !== undefined) parts.push('error="invalid_token"');
    exchange.response.setHeader('WWW-Authenticate', `Bearer ${parts.join(',')}`);
    return new DomainError(
      'not-authenticated',
      known ? 'requested access to the resource is denied' : 'authentication required',
    );
  }
}

function findAccess(
  claims: RegistryTokenClaims,
  type: string,
  name: string,
  action: string,
): GrantedAccess | undefined {
  return claims.access.find(
    (entry) => entry.type === type && entry.name === name && entry.actions.includes(action),
  );
}

/** What a client is told to ask for: pushing needs pulling too. */
const challengedActions = { pull: 'pull', push: 'pull,push', delete: 'delete' } as const satisfies Record<
  Action,
  string
>;
