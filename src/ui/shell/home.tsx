/** `/`: the admin of an empty registry is led through the first pull; everybody else has repositories to look at. */
import { useQuery } from '@tanstack/react-query';
import { Navigate } from 'react-router';
import { api, dataOf } from '../api/client.ts';
import { leadingOf } from '../getting-started/progress.ts';
import { useAccount } from '../session/session.ts';

export function Home() {
  const account = useAccount();
  const leading = account.isAdmin ? leadingOf(account.id) : 'dismissed';
  const first = useQuery({
    queryKey: ['repositories', 'first'],
    queryFn: () => dataOf(api.GET('/api/v0/repositories', { params: { query: { pageSize: 1 } } })),
    enabled: leading === undefined,
  });
  if (leading === 'dismissed' || first.isError) return <Navigate replace to="/repositories" />;
  if (leading === 'begun') return <Navigate replace to="/getting-started" />;
  if (first.data === undefined) return null;
  return (
    <Navigate replace to={first.data.repositories.length === 0 ? '/getting-started' : '/repositories'} />
  );
}
