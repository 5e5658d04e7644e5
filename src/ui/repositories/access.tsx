/** Who may do what in a repository: teams of its organization, and users. */
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { api, dataOf } from '../api/client.ts';
import { Avatar } from '../components/bits.tsx';
import { Note } from '../components/states.tsx';
import { AccessList } from './access-list.tsx';
import { levelsExplained } from './levels.ts';
import { repositoryQuery, useRepositoryPath } from './repository.ts';

export function RepositoryAccess() {
  const path = useRepositoryPath();
  const { data } = useQuery(repositoryQuery(path));
  const isOrganizations = data?.repository.namespaceType === 'organization';
  const params = { path: { namespace: path.namespace, reponame: path.name } };
  const key = ['repository', path.namespace, path.name, 'access'];
  return (
    <>
      <Note>
        {levelsExplained} Besides these, {isOrganizations ? `owners of ${path.namespace}` : path.namespace}{' '}
        and system admins may do everything
        {isOrganizations && ', and teams may have access to all repositories of it'}.
      </Note>
      {isOrganizations && (
        <AccessList
          title="Teams"
          queryKey={[...key, 'teams']}
          empty="No team has access to this repository alone"
          pick={{ kind: 'team', organization: path.namespace }}
          list={async () => {
            const { teamAccessList } = await dataOf(
              api.GET('/api/v0/repositories/{namespace}/{reponame}/teamAccess', {
                params: { ...params, query: { pageSize: 1000 } },
              }),
            );
            return teamAccessList.map(({ team, accessLevel }) => ({
              name: team.name,
              level: accessLevel,
              title: <Link to={`/organizations/${path.namespace}/teams/${team.name}`}>{team.name}</Link>,
              text: team.description,
            }));
          }}
          put={(teamname, accessLevel) =>
            dataOf(
              api.PUT('/api/v0/repositories/{namespace}/{reponame}/teamAccess/{teamname}', {
                params: { path: { ...params.path, teamname } },
                body: { accessLevel },
              }),
            )
          }
          remove={(teamname) =>
            dataOf(
              api.DELETE('/api/v0/repositories/{namespace}/{reponame}/teamAccess/{teamname}', {
                params: { path: { ...params.path, teamname } },
              }),
            )
          }
        />
      )}
      <AccessList
        title="Users"
        queryKey={[...key, 'users']}
        empty="No user has access of their own"
        pick={{ kind: 'user' }}
        list={async () => {
          const { userAccessList } = await dataOf(
            api.GET('/api/v0/repositories/{namespace}/{reponame}/userAccess', {
              params: { ...params, query: { pageSize: 1000 } },
            }),
          );
          return userAccessList.map(({ user, accessLevel }) => ({
            name: user.name,
            level: accessLevel,
            title: user.name,
            text: user.fullName,
            lead: <Avatar name={user.name} />,
          }));
        }}
        put={(username, accessLevel) =>
          dataOf(
            api.PUT('/api/v0/repositories/{namespace}/{reponame}/userAccess/{username}', {
              params: { path: { ...params.path, username } },
              body: { accessLevel },
            }),
          )
        }
        remove={(username) =>
          dataOf(
            api.DELETE('/api/v0/repositories/{namespace}/{reponame}/userAccess/{username}', {
              params: { path: { ...params.path, username } },
            }),
          )
        }
      />
    </>
  );
}
