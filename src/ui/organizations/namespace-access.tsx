/** What a team may in all repositories of its organization. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { ApiError, describeError } from '../api/api-error.ts';
import { api, dataOf } from '../api/client.ts';
import { shownAtOnce } from '../api/shown-at-once.ts';
import { SelectField } from '../components/field.tsx';
import { Narrow } from '../components/layout.tsx';
import { Problem } from '../components/states.tsx';
import { type Level, levels } from '../repositories/levels.ts';
import { say } from '../shell/announcements.ts';

export function NamespaceAccess({ org, team }: { org: string; team: string }) {
  const queryClient = useQueryClient();
  const queryKey = ['organization', org, 'team', team, 'namespace-access'];
  const params = { path: { namespace: org, teamname: team } };
  const access = useQuery({
    queryKey,
    queryFn: async (): Promise<Level | 'none'> => {
      try {
        const found = await dataOf(
          api.GET('/api/v0/repositoryNamespaces/{namespace}/teamAccess/{teamname}', { params }),
        );
        return found.accessLevel;
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return 'none';
        throw error;
      }
    },
  });
  const change = useMutation({
    ...shownAtOnce(queryClient, queryKey, (_before: Level | 'none', level: Level | 'none') => level),
    mutationFn: async (accessLevel: Level | 'none') => {
      const path = '/api/v0/repositoryNamespaces/{namespace}/teamAccess/{teamname}';
      if (accessLevel === 'none') await dataOf(api.DELETE(path, { params }));
      else await dataOf(api.PUT(path, { params, body: { accessLevel } }));
      say('Saved');
    },
  });
  return (
    <Narrow>
      <SelectField
        label={`In all repositories of ${org}`}
        value={access.data ?? 'none'}
        onValue={(level) => change.mutate(level)}
        options={[{ value: 'none', label: 'Nothing' }, ...levels]}
        hint="Admin lets the team create repositories, too."
      />
      {change.isError && <Problem>{describeError(change.error)}</Problem>}
    </Narrow>
  );
}
