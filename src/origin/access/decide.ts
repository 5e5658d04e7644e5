/** May they? Pure: the facts are given. */
import { type AccessLevel, highestLevel } from './levels.ts';

export interface AccessFacts {
  /** `undefined`: nobody in particular. */
  readonly account:
    | {
        readonly isAdmin: boolean;
        /** Whether the namespace is theirs, or of an organization that they own. */
        readonly ownsNamespace: boolean;
        /** By their teams in the namespace's organization. */
        readonly namespaceLevel: AccessLevel | undefined;
        /** By their teams, or given to them, in this repository. */
        readonly repositoryLevels: readonly AccessLevel[];
      }
    | undefined;
  /** `undefined` when the repository does not exist yet. */
  readonly visibility: 'public' | 'private' | undefined;
  /** Whether public repositories are open to nobody in particular. */
  readonly anonymousPulls: boolean;
}

/** The highest of all levels that anything gives. */
export function decideLevel({ account, visibility, anonymousPulls }: AccessFacts): AccessLevel | undefined {
  const byVisibility: AccessLevel | undefined = visibility === 'public' ? 'read-only' : undefined;
  if (account === undefined) return anonymousPulls ? byVisibility : undefined;
  if (account.isAdmin || account.ownsNamespace) return 'admin';
  return highestLevel([byVisibility, account.namespaceLevel, ...account.repositoryLevels]);
}
