/** One repository and what the user may do in it, for its pages. */
import { queryOptions } from '@tanstack/react-query';
import { useParams } from 'react-router';
import { api, dataOf, pageOf } from '../api/client.ts';

export interface RepositoryPath {
  readonly namespace: string;
  readonly name: string;
}

export function useRepositoryPath(): RepositoryPath {
  const { namespace = '', name = '' } = useParams();
  return { namespace, name };
}

export function repositoryQuery({ namespace, name }: RepositoryPath) {
  return queryOptions({
    queryKey: ['repository', namespace, name],
    queryFn: async () => {
      const { data, etag } = await pageOf(
        api.GET('/api/v0/repositories/{namespace}/{reponame}', {
          params: { path: { namespace, reponame: name } },
        }),
      );
      return { repository: data, etag };
    },
  });
}

/** The highest level that the user has, as the server reckons it. */
export function accessQuery(username: string, { namespace, name }: RepositoryPath) {
  return queryOptions({
    queryKey: ['repository', namespace, name, 'my-access'],
    queryFn: async () => {
      const { accessLevel } = await dataOf(
        api.GET('/api/v0/accounts/{username}/repositoryAccess/{namespace}/{reponame}', {
          params: { path: { username, namespace, reponame: name } },
        }),
      );
      return accessLevel;
    },
  });
}
