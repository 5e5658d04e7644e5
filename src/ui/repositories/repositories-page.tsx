/** All repositories that one may pull from: searched and paged by the server. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Boxes, Plus, SearchX } from 'lucide-react';
import { useState } from 'react';
import { api, pageOf, type Schemas } from '../api/client.ts';
import { Command } from '../components/bits.tsx';
import { Button } from '../components/button.tsx';
import { SearchField } from '../components/field.tsx';
import { Bar, Page } from '../components/layout.tsx';
import { List, Pager, usePageStart } from '../components/list.tsx';
import { Empty, Failed, Loading } from '../components/states.tsx';
import { useSearchBox } from '../components/use-search-box.ts';
import { useAccount } from '../session/session.ts';
import { CreateRepository } from './create-repository.tsx';
import { RepositoryRow } from './repository-row.tsx';

export function RepositoriesPage() {
  const { typed, type, query } = useSearchBox();
  const [creating, setCreating] = useState(false);
  const start = usePageStart();
  const repositories = useQuery({
    queryKey: ['repositories', { query, start }],
    queryFn: () =>
      pageOf(
        api.GET('/api/v0/repositories', {
          params: {
            query: {
              pageSize: 25,
              ...(query !== '' && { query }),
              ...(start !== undefined && { pageStart: start }),
            },
          },
        }),
      ),
    placeholderData: keepPreviousData,
  });
  return (
    <Page
      name="Repositories"
      actions={
        <Button kind="primary" onClick={() => setCreating(true)}>
          <Plus size={16} aria-hidden="true" />
          New repository
        </Button>
      }
    >
      <Bar>
        <SearchField
          label="Find a repository"
          placeholder="Find by a part of the name"
          value={typed}
          onText={type}
        />
      </Bar>
      {repositories.isPending && <Loading rows={6} />}
      {repositories.isError && <Failed error={repositories.error} onRetry={() => repositories.refetch()} />}
      {repositories.data && (
        <Found
          repositories={repositories.data.data.repositories}
          next={repositories.data.next}
          query={query}
          onClear={() => type('')}
        />
      )}
      <CreateRepository open={creating} onClose={() => setCreating(false)} />
    </Page>
  );
}

function Found({
  repositories,
  next,
  query,
  onClear,
}: {
  repositories: Schemas['Repository'][];
  next: string | undefined;
  query: string;
  onClear: () => void;
}) {
  const account = useAccount();
  if (repositories.length === 0 && query !== '') {
    return (
      <Empty
        icon={SearchX}
        title={`No repository has “${query}” in its name`}
        action={<Button onClick={onClear}>Show all repositories</Button>}
      >
        Only repositories that you may pull from are found.
      </Empty>
    );
  }
  if (repositories.length === 0) {
    return (
      <Empty
        icon={Boxes}
        title="No repositories yet"
        action={<Command text={`docker push ${location.host}/${account.name}/app:1`} />}
      >
        The first push creates one, and so does “New repository”.
      </Empty>
    );
  }
  return (
    <>
      <List label="Repositories">
        {repositories.map((repository) => (
          <RepositoryRow key={repository.id} repository={repository} />
        ))}
      </List>
      <Pager next={next} noun="repository" />
    </>
  );
}
