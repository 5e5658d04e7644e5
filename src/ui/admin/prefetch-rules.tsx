/** What content caches fetch as soon as it is pushed. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Pencil, Plus, Trash2, Zap } from 'lucide-react';
import { useState } from 'react';
import { describeError } from '../api/api-error.ts';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Badge } from '../components/bits.tsx';
import { Button, IconButton } from '../components/button.tsx';
import { ConfirmByName } from '../components/confirm-by-name.tsx';
import { Name } from '../components/dialog.tsx';
import { Section } from '../components/layout.tsx';
import { List, Row } from '../components/list.tsx';
import { Empty, Failed, Loading, Problem } from '../components/states.tsx';
import { cachesQuery } from '../content-caches/caches.ts';
import { say } from '../shell/announcements.ts';
import { EditPrefetchRule } from './edit-prefetch-rule.tsx';

type Rule = Schemas['PrefetchRule'];

const key = ['prefetch-rules'];

export function PrefetchRules() {
  const [adding, setAdding] = useState(false);
  const rules = useQuery({
    queryKey: key,
    queryFn: () => dataOf(api.GET('/api/v0/content_cache_prefetch_rules')),
  });
  const add = (
    <Button small onClick={() => setAdding(true)}>
      <Plus size={15} aria-hidden="true" />
      Add a rule
    </Button>
  );
  return (
    <Section
      title="Prefetch rules"
      text="Each push of a tag that fits starts a prefetch by itself."
      actions={rules.data && rules.data.length > 0 && add}
    >
      {rules.isPending && <Loading rows={2} />}
      {rules.isError && <Failed error={rules.error} onRetry={() => rules.refetch()} />}
      {rules.data?.length === 0 && (
        <Empty icon={Zap} title="No prefetch rules yet" action={add}>
          With one for what is rolled out everywhere, nobody waits for the first pull.
        </Empty>
      )}
      {rules.data !== undefined && rules.data.length > 0 && (
        <List label="Prefetch rules">
          {rules.data.map((rule) => (
            <RuleRow key={rule.id} rule={rule} />
          ))}
        </List>
      )}
      <EditPrefetchRule open={adding} onClose={() => setAdding(false)} />
    </Section>
  );
}

function RuleRow({ rule }: { rule: Rule }) {
  const queryClient = useQueryClient();
  const caches = useQuery(cachesQuery);
  const [open, setOpen] = useState<'edit' | 'remove' | undefined>();
  const close = () => setOpen(undefined);
  const path = { ruleID: rule.id };
  const name = `${rule.repository}:${rule.tag}`;
  const nameOf = (id: string) => caches.data?.find((cache) => cache.id === id)?.name ?? id;
  const turn = useMutation({
    mutationFn: (isEnabled: boolean) =>
      dataOf(
        api.PATCH('/api/v0/content_cache_prefetch_rules/{ruleID}', { params: { path }, body: { isEnabled } }),
      ),
    onSuccess: ({ isEnabled }) => {
      say(`The rule for ${name} is ${isEnabled ? 'followed again' : 'switched off'}`);
      return queryClient.invalidateQueries({ queryKey: key });
    },
  });
  const at = rule.contentCaches.length === 0 ? 'every cache' : rule.contentCaches.map(nameOf).join(', ');
  return (
    <Row
      title={
        <>
          <Name>{name}</Name>
          {!rule.isEnabled && <Badge kind="warn">switched off</Badge>}
        </>
      }
      text={`to ${at}${rule.platforms.length > 0 ? `, ${rule.platforms.join(', ')} only` : ''}`}
      side={
        <>
          <Button
            small
            kind="quiet"
            aria-label={`${rule.isEnabled ? 'Switch off' : 'Switch on'} the rule for ${name}`}
            busy={turn.isPending}
            onClick={() => turn.mutate(!rule.isEnabled)}
          >
            {rule.isEnabled ? 'Switch off' : 'Switch on'}
          </Button>
          <span>
            <IconButton label={`Edit the rule for ${name}`} onClick={() => setOpen('edit')}>
              <Pencil size={16} aria-hidden="true" />
            </IconButton>
            <IconButton label={`Remove the rule for ${name}`} onClick={() => setOpen('remove')}>
              <Trash2 size={16} aria-hidden="true" />
            </IconButton>
          </span>
        </>
      }
      below={
        <>
          {turn.isError && <Problem>{describeError(turn.error)}</Problem>}
          <EditPrefetchRule open={open === 'edit'} onClose={close} rule={rule} />
          <ConfirmByName
            open={open === 'remove'}
            onClose={close}
            title={
              <>
                Remove the rule for <Name>{name}</Name>
              </>
            }
            name={name}
            action="Remove rule"
            consequences={
              <li>
                <span>Pushes are no longer prefetched by it. What the caches have, they keep.</span>
              </li>
            }
            onConfirm={async () => {
              await dataOf(api.DELETE('/api/v0/content_cache_prefetch_rules/{ruleID}', { params: { path } }));
              say(`Removed the rule for ${name}`);
              await queryClient.invalidateQueries({ queryKey: key });
            }}
          />
        </>
      }
    />
  );
}
