/** The users of the system. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Plus, UserRound } from 'lucide-react';
import { useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { api, pageOf } from '../api/client.ts';
import { Avatar, Badge } from '../components/bits.tsx';
import { Button } from '../components/button.tsx';
import { SearchField, SmallSelect } from '../components/field.tsx';
import { Bar, Page } from '../components/layout.tsx';
import { List, Pager, Row, usePageStart } from '../components/list.tsx';
import { Empty, Failed, Loading } from '../components/states.tsx';
import { useSearchBox } from '../components/use-search-box.ts';
import { CreateUser } from './create-user.tsx';
import { UserActions } from './user-actions.tsx';

const filters = [
  { value: 'users', label: 'All users' },
  { value: 'admins', label: 'System admins' },
  { value: 'active-users', label: 'Active' },
  { value: 'inactive-users', label: 'Deactivated' },
] as const;

type Filter = (typeof filters)[number]['value'];

export function AdminUsers() {
  const { typed, type, query } = useSearchBox();
  const [search, setSearch] = useSearchParams();
  const filter = (search.get('filter') ?? 'users') as Filter;
  const start = usePageStart();
  const [creating, setCreating] = useState(false);
  const users = useQuery({
    queryKey: ['accounts', { filter, query, start }],
    queryFn: () =>
      pageOf(
        api.GET('/api/v0/accounts', {
          params: {
            query: {
              filter,
              pageSize: 25,
              count: true,
              ...(query !== '' && { query }),
              ...(start !== undefined && { pageStart: start }),
            },
          },
        }),
      ),
    placeholderData: keepPreviousData,
  });
  const list = users.data?.data.accounts;
  return (
    <Page
      name="Users"
      actions={
        <Button kind="primary" onClick={() => setCreating(true)}>
          <Plus size={16} aria-hidden="true" />
          New user
        </Button>
      }
    >
      <Bar>
        <SearchField
          label="Find a user"
          placeholder="Find by the beginning of the name"
          value={typed}
          onText={type}
        />
        <SmallSelect
          label="Which users"
          options={filters}
          value={filter}
          onValue={(value) =>
            setSearch(
              (params) => {
                params.delete('start');
                if (value === 'users') params.delete('filter');
                else params.set('filter', value);
                return params;
              },
              { replace: true },
            )
          }
        />
      </Bar>
      {users.isPending && <Loading rows={6} />}
      {users.isError && <Failed error={users.error} onRetry={() => users.refetch()} />}
      {list?.length === 0 && <Empty icon={UserRound} title="No users found" />}
      {list !== undefined && list.length > 0 && (
        <List label="Users">
          {list.map((user) => (
            <Row
              key={user.id}
              lead={<Avatar name={user.name} />}
              title={
                <>
                  <Link to={`/users/${user.name}/settings`}>{user.name}</Link>
                  {user.isAdmin && <Badge kind="accent">system admin</Badge>}
                  {user.isServiceAccount && <Badge>service account</Badge>}
                  {!user.isActive && <Badge kind="bad">deactivated</Badge>}
                </>
              }
              text={user.fullName || undefined}
              side={
                // One thing, whatever a menu that is open puts beside its button.
                <span>
                  <UserActions user={user} />
                </span>
              }
            />
          ))}
        </List>
      )}
      <Pager next={users.data?.next} total={users.data?.total} noun="user" />
      <CreateUser open={creating} onClose={() => setCreating(false)} />
    </Page>
  );
}
