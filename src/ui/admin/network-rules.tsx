/** Which content cache serves the clients of which network, and a way to ask why a pull would go where. */
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { Network, Pencil, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { api, dataOf, pageOf, type Schemas } from '../api/client.ts';
import { Button, IconButton } from '../components/button.tsx';
import { ConfirmByName } from '../components/confirm-by-name.tsx';
import { Name } from '../components/dialog.tsx';
import { Page } from '../components/layout.tsx';
import { List, Pager, Row, usePageStart } from '../components/list.tsx';
import { Empty, Failed, Loading } from '../components/states.tsx';
import { cachesQuery } from '../content-caches/caches.ts';
import { say } from '../shell/announcements.ts';
import { AskWhy } from './ask-why.tsx';
import { EditNetworkRule } from './edit-network-rule.tsx';

type Rule = Schemas['ContentCacheRule'];

export function AdminNetworkRules() {
  const start = usePageStart();
  const [adding, setAdding] = useState(false);
  const caches = useQuery(cachesQuery);
  const rules = useQuery({
    queryKey: ['network-rules', start],
    queryFn: () =>
      pageOf(
        api.GET('/api/v0/content_cache_rules', {
          params: { query: { pageSize: 50, count: true, ...(start !== undefined && { pageStart: start }) } },
        }),
      ),
    placeholderData: keepPreviousData,
  });
  const list = rules.data?.data;
  const nameOf = (id: string) =>
    id === '' ? location.host : (caches.data?.find((cache) => cache.id === id)?.name ?? id);
  const add = (
    <Button kind="primary" onClick={() => setAdding(true)}>
      <Plus size={16} aria-hidden="true" />
      Add a rule
    </Button>
  );
  return (
    <Page
      name="Network rules"
      lead="Which cache serves whom, by where they are, so that users need not choose. Of several networks that fit, the smallest decides."
      actions={list && list.length > 0 && add}
    >
      {rules.isPending && <Loading />}
      {rules.isError && <Failed error={rules.error} onRetry={() => rules.refetch()} />}
      {list?.length === 0 && (
        <Empty icon={Network} title="No network rules yet" action={add}>
          With one for each office, everybody whose setting is “Automatic” pulls from the cache beside them.
        </Empty>
      )}
      {list !== undefined && list.length > 0 && (
        <List label="Network rules">
          {list.map((rule) => (
            <RuleRow key={rule.id} rule={rule} cacheName={nameOf(rule.contentCacheUUID)} />
          ))}
        </List>
      )}
      <Pager next={rules.data?.next} total={rules.data?.total} noun="rule" />
      <AskWhy />
      <EditNetworkRule open={adding} onClose={() => setAdding(false)} />
    </Page>
  );
}

function RuleRow({ rule, cacheName }: { rule: Rule; cacheName: string }) {
  const queryClient = useQueryClient();
  const [open, setOpen] = useState<'edit' | 'remove' | undefined>();
  const close = () => setOpen(undefined);
  return (
    <Row
      title={<Name>{rule.network}</Name>}
      text={rule.comment || undefined}
      side={
        <>
          <span>→ {cacheName}</span>
          <span>
            <IconButton label={`Edit the rule for ${rule.network}`} onClick={() => setOpen('edit')}>
              <Pencil size={16} aria-hidden="true" />
            </IconButton>
            <IconButton label={`Remove the rule for ${rule.network}`} onClick={() => setOpen('remove')}>
              <Trash2 size={16} aria-hidden="true" />
            </IconButton>
          </span>
        </>
      }
      below={
        <>
          <EditNetworkRule open={open === 'edit'} onClose={close} rule={rule} />
          <ConfirmByName
            open={open === 'remove'}
            onClose={close}
            title={
              <>
                Remove the rule for <Name>{rule.network}</Name>
              </>
            }
            name={rule.network}
            action="Remove rule"
            consequences={
              <li>
                <span>
                  Who pulls from there automatically is no longer sent to {cacheName}, from the next pull on:
                  the next larger network decides, or the defaults.
                </span>
              </li>
            }
            onConfirm={async () => {
              await dataOf(
                api.DELETE('/api/v0/content_cache_rules/{ruleuuid}', {
                  params: { path: { ruleuuid: rule.id } },
                }),
              );
              say(`Removed the rule for ${rule.network}`);
              await queryClient.invalidateQueries({ queryKey: ['network-rules'] });
            }}
          />
        </>
      }
    />
  );
}
