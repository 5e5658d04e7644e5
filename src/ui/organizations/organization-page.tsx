/** One organization: its head and the tabs of its pages. */
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useParams } from 'react-router';
import { Avatar } from '../components/bits.tsx';
import { Page, Tabs } from '../components/layout.tsx';
import { Failed, Loading } from '../components/states.tsx';
import { organizationQuery, useMembership } from './organization.ts';

export function OrganizationPage() {
  const { org = '' } = useParams();
  const organization = useQuery(organizationQuery(org));
  const membership = useMembership(org);
  const base = `/organizations/${org}`;
  const isInside = membership === 'owner' || membership === 'member';
  return (
    <Page
      name={org}
      title={
        <>
          <Avatar name={org} square large />
          <span>{organization.data?.fullName || org}</span>
        </>
      }
      crumbs={<Link to="/organizations">Organizations</Link>}
      lead={organization.data?.fullName ? org : undefined}
    >
      {organization.isPending && <Loading />}
      {organization.isError && <Failed error={organization.error} onRetry={() => organization.refetch()} />}
      {organization.data && (
        <>
          <Tabs
            label="Organization"
            tabs={[
              { to: `${base}/repositories`, label: 'Repositories' },
              ...(isInside
                ? [
                    { to: `${base}/members`, label: 'Members' },
                    { to: `${base}/teams`, label: 'Teams' },
                  ]
                : []),
              ...(membership === 'owner' ? [{ to: `${base}/settings`, label: 'Settings' }] : []),
            ]}
          />
          <Outlet />
        </>
      )}
    </Page>
  );
}
