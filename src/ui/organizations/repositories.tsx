/** The repositories of an organization. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Boxes, Plus } from 'lucide-react';
import { useState } from 'react';
import { useParams } from 'react-router';
import { api, pageOf } from '../api/client.ts';
import { Button } from '../components/button.tsx';
import { Section } from '../components/layout.tsx';
import { List, Pager, usePageStart } from '../components/list.tsx';
import { Empty, Failed, Loading } from '../components/states.tsx';
import { CreateRepository } from '../repositories/create-repository.tsx';
import { RepositoryRow } from '../repositories/repository-row.tsx';
import { useMembership } from './organization.ts';

export function OrganizationRepositories() {
  const { org = '' } = useParams();
  const start = usePageStart();
  const isOwner = useMembership(org) === 'owner';
  const [creating, setCreating] = useState(false);
  const repositories = useQuery({
    queryKey: ['repositories', { namespace: org, start }],
    queryFn: () =>
      pageOf(
        api.GET('/api/v0/repositories/{namespace}', {
          params: {
            path: { namespace: org },
            query: { pageSize: 25, count: true, ...(start !== undefined && { pageStart: start }) },
          },
        }),
      ),
    placeholderData: keepPreviousData,
  });
  const list = repositories.data?.data.repositories;
  const create = isOwner && (
    <Button onClick={() => setCreating(true)}>
      <Plus size={16} aria-hidden="true" />
      New repository
    </Button>
  );
  return (
    <Section title="Repositories" actions={list && list.length > 0 && create}>
      {repositories.isPending && <Loading />}
      {repositories.isError && <Failed error={repositories.error} onRetry={() => repositories.refetch()} />}
      {list?.length === 0 && (
        <Empty icon={Boxes} title="No repositories that you may see" action={create}>
          The first push creates one, too.
        </Empty>
      )}
      {list !== undefined && list.length > 0 && (
        <List label="Repositories">
          {list.map((repository) => (
            <RepositoryRow key={repository.id} repository={repository} />
          ))}
        </List>
      )}
      <Pager next={repositories.data?.next} total={repositories.data?.total} noun="repository" />
      <CreateRepository open={creating} onClose={() => setCreating(false)} namespace={org} />
    </Section>
  );
}
