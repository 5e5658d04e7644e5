/** The tags of a repository, by name. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { SearchX, Tag } from 'lucide-react';
import { lazy, Suspense } from 'react';
import { api, pageOf } from '../api/client.ts';
import { Command } from '../components/bits.tsx';
import { SearchField } from '../components/field.tsx';
import { Bar, Card, Section } from '../components/layout.tsx';
import { List, Pager, usePageStart } from '../components/list.tsx';
import { Empty, Failed, Loading } from '../components/states.tsx';
import { useSearchBox } from '../components/use-search-box.ts';
import { useAccount } from '../session/session.ts';
import { accessQuery, type RepositoryPath, repositoryQuery, useRepositoryPath } from './repository.ts';
import { TagRow } from './tag-row.tsx';

const Markdown = lazy(async () => ({ default: (await import('./markdown.tsx')).Markdown }));

export function RepositoryTags() {
  const path = useRepositoryPath();
  const account = useAccount();
  const repository = useQuery(repositoryQuery(path));
  const access = useQuery(accessQuery(account.name, path));
  const { typed, type, query } = useSearchBox();
  const start = usePageStart();
  const tags = useQuery({
    queryKey: ['repository', path.namespace, path.name, 'tags', { query, start }],
    queryFn: () =>
      pageOf(
        api.GET('/api/v0/repositories/{namespace}/{reponame}/tags', {
          params: {
            path: { namespace: path.namespace, reponame: path.name },
            query: {
              includeManifests: true,
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
  const mayDelete = access.data === 'read-write' || access.data === 'admin';
  const description = repository.data?.repository.longDescription;
  const isEmpty = tags.data?.data.length === 0;
  return (
    <>
      {(!isEmpty || query !== '') && (
        <Bar>
          <SearchField
            label="Find a tag"
            placeholder="Find by the beginning of the name"
            value={typed}
            onText={type}
          />
        </Bar>
      )}
      {tags.isPending && <Loading />}
      {tags.isError && <Failed error={tags.error} onRetry={() => tags.refetch()} />}
      {isEmpty &&
        (query === '' ? (
          <NoTags path={path} />
        ) : (
          <Empty icon={SearchX} title={`No tag begins with “${query}”`} />
        ))}
      {tags.data && !isEmpty && (
        <>
          <List label="Tags">
            {tags.data.data.map((tag) => (
              <TagRow key={tag.name} tag={tag} path={path} mayDelete={mayDelete} />
            ))}
          </List>
          <Pager next={tags.data.next} total={tags.data.total} noun="tag" />
        </>
      )}
      {description && (
        <Section title="About">
          <Card>
            <Suspense fallback={<Loading rows={2} />}>
              <Markdown text={description} />
            </Suspense>
          </Card>
        </Section>
      )}
    </>
  );
}

function NoTags({ path }: { path: RepositoryPath }) {
  return (
    <Empty
      icon={Tag}
      title="No images yet"
      action={<Command text={`docker push ${location.host}/${path.namespace}/${path.name}:1`} />}
    >
      Push the first one.
    </Empty>
  );
}
