/** One organization, and what the user is in it. */
import { queryOptions, useQuery } from '@tanstack/react-query';
import { ApiError } from '../api/api-error.ts';
import { api, dataOf } from '../api/client.ts';
import { useAccount } from '../session/session.ts';

export function organizationQuery(org: string) {
  return queryOptions({
    queryKey: ['organization', org],
    queryFn: () => dataOf(api.GET('/api/v0/accounts/{namespace}', { params: { path: { namespace: org } } })),
  });
}

/** Who is no member of it and no system admin sees its repositories only. */
export function useMembership(org: string): 'owner' | 'member' | 'none' | undefined {
  const account = useAccount();
  const membership = useQuery({
    queryKey: ['organization', org, 'membership', account.name],
    queryFn: async () => {
      try {
        const { isAdmin } = await dataOf(
          api.GET('/api/v0/accounts/{orgname}/members/{member}', {
            params: { path: { orgname: org, member: account.name } },
          }),
        );
        return isAdmin ? 'owner' : 'member';
      } catch (error) {
        if (error instanceof ApiError && (error.status === 404 || error.status === 403)) return 'none';
        throw error;
      }
    },
    enabled: !account.isAdmin,
  });
  return account.isAdmin ? 'owner' : membership.data;
}
