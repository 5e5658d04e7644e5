/** Access tokens: passwords for machines. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { KeyRound, Plus } from 'lucide-react';
import { useState } from 'react';
import { useParams } from 'react-router';
import { describeError } from '../api/api-error.ts';
import { api, dataOf, pageOf, type Schemas } from '../api/client.ts';
import { Badge, Time } from '../components/bits.tsx';
import { Button } from '../components/button.tsx';
import { ConfirmByName } from '../components/confirm-by-name.tsx';
import { Name } from '../components/dialog.tsx';
import { Section } from '../components/layout.tsx';
import { List, Pager, Row, usePageStart } from '../components/list.tsx';
import { Empty, Failed, Loading } from '../components/states.tsx';
import { say } from '../shell/announcements.ts';
import { CreateToken } from './create-token.tsx';

export function ProfileTokens() {
  const { username = '' } = useParams();
  const start = usePageStart();
  const [creating, setCreating] = useState(false);
  const tokens = useQuery({
    queryKey: ['account', username, 'tokens', start],
    queryFn: () =>
      pageOf(
        api.GET('/api/v0/api_tokens', {
          params: {
            query: { username, pageSize: 25, count: true, ...(start !== undefined && { pageStart: start }) },
          },
        }),
      ),
    placeholderData: keepPreviousData,
  });
  const create = (
    <Button kind="primary" onClick={() => setCreating(true)}>
      <Plus size={16} aria-hidden="true" />
      New access token
    </Button>
  );
  return (
    <Section
      title="Access tokens"
      text={
        <>
          For machines, in place of the password: with <code>docker login</code> and with the API.
        </>
      }
      actions={tokens.data && tokens.data.data.length > 0 && create}
    >
      {tokens.isPending && <Loading />}
      {tokens.isError && <Failed error={tokens.error} onRetry={() => tokens.refetch()} />}
      {tokens.data?.data.length === 0 && (
        <Empty icon={KeyRound} title="No access tokens yet" action={create}>
          Give each machine one of its own, so that it can be revoked alone.
        </Empty>
      )}
      {tokens.data !== undefined && tokens.data.data.length > 0 && (
        <>
          <List label="Access tokens">
            {tokens.data.data.map((token) => (
              <TokenRow key={token.hashedToken} token={token} username={username} />
            ))}
          </List>
          <Pager next={tokens.data.next} total={tokens.data.total} noun="access token" />
        </>
      )}
      <CreateToken username={username} open={creating} onClose={() => setCreating(false)} />
    </Section>
  );
}

function TokenRow({ token, username }: { token: Schemas['APIToken']; username: string }) {
  const queryClient = useQueryClient();
  const [revoking, setRevoking] = useState(false);
  const path = { hashedtoken: token.hashedToken };
  const refresh = () => queryClient.invalidateQueries({ queryKey: ['account', username, 'tokens'] });
  const toggle = useMutation({
    mutationFn: () =>
      dataOf(
        api.PATCH('/api/v0/api_tokens/{hashedtoken}', {
          params: { path },
          body: { isActive: !token.isActive },
        }),
      ),
    onSuccess: refresh,
    onError: (error) => say(describeError(error)),
  });
  const label = token.tokenLabel || `${token.hashedToken.slice(0, 8)}…`;
  const isExpired = token.expiresAt !== null && Date.parse(token.expiresAt) < Date.now();
  return (
    <Row
      title={
        <>
          {label}
          <Badge {...(token.access === 'read-write' && { kind: 'accent' })}>
            {token.access === 'read-only' ? 'read only' : 'read and write'}
          </Badge>
          {isExpired && <Badge kind="bad">expired</Badge>}
          {!token.isActive && <Badge kind="warn">off</Badge>}
        </>
      }
      text={
        <>
          Created <Time at={token.createdAt} />
          {token.generatedBy !== username && ` by ${token.generatedBy}`} ·{' '}
          {token.lastUsed === null ? (
            'never used'
          ) : (
            <>
              last used <Time at={token.lastUsed} />
            </>
          )}{' '}
          ·{' '}
          {token.expiresAt === null ? (
            'never expires'
          ) : (
            <>
              {isExpired ? 'expired' : 'expires'} <Time at={token.expiresAt} />
            </>
          )}
        </>
      }
      side={
        <>
          <Button small kind="quiet" busy={toggle.isPending} onClick={() => toggle.mutate()}>
            {token.isActive ? 'Turn off' : 'Turn on'}
          </Button>
          <Button small kind="dangerQuiet" onClick={() => setRevoking(true)}>
            Revoke
          </Button>
        </>
      }
      below={
        <ConfirmByName
          open={revoking}
          onClose={() => setRevoking(false)}
          title={
            <>
              Revoke <Name>{label}</Name>
            </>
          }
          name={label}
          action="Revoke access token"
          consequences={
            <>
              <li>
                <span>Whatever signs in with it is refused from the next request on.</span>
              </li>
              <li>
                <span>
                  {token.lastUsed === null ? (
                    'It was never used.'
                  ) : (
                    <>
                      It was last used <Time at={token.lastUsed} />.
                    </>
                  )}
                </span>
              </li>
            </>
          }
          onConfirm={async () => {
            await dataOf(api.DELETE('/api/v0/api_tokens/{hashedtoken}', { params: { path } }));
            say(`Revoked ${label}`);
            await refresh();
          }}
        />
      }
    />
  );
}
