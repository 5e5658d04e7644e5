/** A user's profile: one's own, or anybody's for a system admin. */
import { useQuery } from '@tanstack/react-query';
import { Outlet, useParams } from 'react-router';
import { api, dataOf } from '../api/client.ts';
import { Avatar, Badge } from '../components/bits.tsx';
import { Page, Tabs } from '../components/layout.tsx';
import { Failed, Loading } from '../components/states.tsx';

export function ProfilePage() {
  const { username = '' } = useParams();
  const account = useQuery({
    queryKey: ['account', username],
    queryFn: () =>
      dataOf(api.GET('/api/v0/accounts/{namespace}', { params: { path: { namespace: username } } })),
  });
  const base = `/users/${username}`;
  return (
    <Page
      name={username}
      title={
        <>
          <Avatar name={username} large />
          <span>{account.data?.fullName || username}</span>
          {account.data?.isAdmin && <Badge kind="accent">system admin</Badge>}
          {account.data?.isServiceAccount && <Badge>service account</Badge>}
          {account.data?.isActive === false && <Badge kind="bad">deactivated</Badge>}
        </>
      }
      lead={account.data?.fullName ? username : undefined}
    >
      {account.isPending && <Loading />}
      {account.isError && <Failed error={account.error} onRetry={() => account.refetch()} />}
      {account.data && (
        <>
          <Tabs
            label="Profile"
            tabs={[
              { to: `${base}/settings`, label: 'Settings' },
              ...(account.data.isServiceAccount ? [] : [{ to: `${base}/password`, label: 'Password' }]),
              { to: `${base}/tokens`, label: 'Access tokens' },
              { to: `${base}/activity`, label: 'Activity' },
            ]}
          />
          <Outlet />
        </>
      )}
    </Page>
  );
}
