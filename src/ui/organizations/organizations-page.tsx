/** Organizations: one's own, and for system admins all of them. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Building2, Plus } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { type Page as ApiPage, api, pageOf, type Schemas } from '../api/client.ts';
import { Avatar, Badge } from '../components/bits.tsx';
import { Button } from '../components/button.tsx';
import { SearchField } from '../components/field.tsx';
import { Bar, Page } from '../components/layout.tsx';
import { List, Pager, Row, usePageStart } from '../components/list.tsx';
import { Empty, Failed, Loading } from '../components/states.tsx';
import { useSearchBox } from '../components/use-search-box.ts';
import { useAccount } from '../session/session.ts';
import { CreateOrganization } from './create-organization.tsx';

interface Listed {
  readonly org: Schemas['Account'];
  readonly isOwner: boolean;
}

export function OrganizationsPage() {
  const account = useAccount();
  const { typed, type, query } = useSearchBox();
  const start = usePageStart();
  const [creating, setCreating] = useState(false);
  const organizations = useQuery({
    queryKey: ['organizations', account.name, { query, start }],
    queryFn: () => (account.isAdmin ? listAll(query, start) : listOwn(account.name, start)),
    placeholderData: keepPreviousData,
  });
  const create = account.isAdmin && (
    <Button kind="primary" onClick={() => setCreating(true)}>
      <Plus size={16} aria-hidden="true" />
      New organization
    </Button>
  );
  const list = organizations.data?.data;
  return (
    <Page name="Organizations" actions={create}>
      {account.isAdmin && (
        <Bar>
          <SearchField
            label="Find an organization"
            placeholder="Find by the beginning of the name"
            value={typed}
            onText={type}
          />
        </Bar>
      )}
      {organizations.isPending && <Loading />}
      {organizations.isError && (
        <Failed error={organizations.error} onRetry={() => organizations.refetch()} />
      )}
      {list?.length === 0 && (
        <Empty
          icon={Building2}
          title={query === '' ? 'No organizations yet' : `No organization begins with “${query}”`}
          action={query === '' ? create : undefined}
        >
          {query !== ''
            ? undefined
            : account.isAdmin
              ? 'An organization is a namespace that teams work in.'
              : 'An owner or an admin can make you a member of one.'}
        </Empty>
      )}
      {list !== undefined && list.length > 0 && (
        <List label="Organizations">
          {list.map(({ org, isOwner }) => (
            <Row
              key={org.id}
              goes
              lead={<Avatar name={org.name} square />}
              title={
                <>
                  <Link to={`/organizations/${org.name}/repositories`}>{org.name}</Link>
                  {isOwner && <Badge kind="accent">owner</Badge>}
                </>
              }
              text={org.fullName || undefined}
            />
          ))}
        </List>
      )}
      <Pager next={organizations.data?.next} total={organizations.data?.total} noun="organization" />
      <CreateOrganization open={creating} onClose={() => setCreating(false)} />
    </Page>
  );
}

async function listAll(query: string, start: string | undefined): Promise<ApiPage<Listed[]>> {
  const page = await pageOf(
    api.GET('/api/v0/accounts', {
      params: {
        query: {
          filter: 'orgs',
          pageSize: 25,
          count: true,
          ...(query !== '' && { query }),
          ...(start !== undefined && { pageStart: start }),
        },
      },
    }),
  );
  return { ...page, data: page.data.accounts.map((org) => ({ org, isOwner: false })) };
}

async function listOwn(username: string, start: string | undefined): Promise<ApiPage<Listed[]>> {
  const page = await pageOf(
    api.GET('/api/v0/accounts/{username}/organizations', {
      params: {
        path: { username },
        query: { pageSize: 25, count: true, ...(start !== undefined && { pageStart: start }) },
      },
    }),
  );
  return { ...page, data: page.data.memberOrgs.map(({ org, isAdmin }) => ({ org, isOwner: isAdmin })) };
}
