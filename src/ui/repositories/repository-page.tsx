/** One repository: its head and the tabs of its pages. */
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet } from 'react-router';
import { Badge, Command } from '../components/bits.tsx';
import { Page, Tabs } from '../components/layout.tsx';
import { Failed, Loading } from '../components/states.tsx';
import { useAccount } from '../session/session.ts';
import styles from './repositories.module.css';
import { accessQuery, repositoryQuery, useRepositoryPath } from './repository.ts';

export function RepositoryPage() {
  const path = useRepositoryPath();
  const account = useAccount();
  const repository = useQuery(repositoryQuery(path));
  const access = useQuery(accessQuery(account.name, path));
  const { namespace, name } = path;
  const base = `/repositories/${namespace}/${name}`;
  const found = repository.data?.repository;
  const home =
    found?.namespaceType === 'organization' ? `/organizations/${namespace}/repositories` : '/repositories';
  return (
    <Page
      name={`${namespace}/${name}`}
      title={
        <>
          <span>
            <span className={styles.namespace}>{namespace}/</span>
            {name}
          </span>
          {found && (
            <Badge {...(found.visibility === 'public' && { kind: 'accent' })}>{found.visibility}</Badge>
          )}
        </>
      }
      crumbs={
        <>
          <Link to="/repositories">Repositories</Link>
          {home !== '/repositories' && (
            <>
              <span aria-hidden="true">/</span>
              <Link to={home}>{namespace}</Link>
            </>
          )}
        </>
      }
      lead={found?.shortDescription || undefined}
      actions={found && <Command text={`docker pull ${location.host}/${namespace}/${name}`} />}
    >
      {repository.isPending && <Loading />}
      {repository.isError && <Failed error={repository.error} onRetry={() => repository.refetch()} />}
      {found && (
        <>
          {access.data === 'admin' && (
            <Tabs
              label="Repository"
              tabs={[
                { to: `${base}/tags`, label: 'Tags' },
                { to: `${base}/access`, label: 'Access' },
                { to: `${base}/settings`, label: 'Settings' },
              ]}
            />
          )}
          <Outlet />
        </>
      )}
    </Page>
  );
}
