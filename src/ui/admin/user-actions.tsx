/** What a system admin does with a user. */
import { Menu } from '@base-ui/react/menu';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Ellipsis, KeyRound, Power, ShieldCheck, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { describeError } from '../api/api-error.ts';
import { api, dataOf, type Schemas } from '../api/client.ts';
import buttonStyles from '../components/button.module.css';
import { ConfirmByName } from '../components/confirm-by-name.tsx';
import { Name } from '../components/dialog.tsx';
import { useAccount } from '../session/session.ts';
import { say } from '../shell/announcements.ts';
import styles from '../shell/shell.module.css';

type User = Schemas['Account'];

export function UserActions({ user }: { user: User }) {
  const queryClient = useQueryClient();
  const own = useAccount();
  const [confirming, setConfirming] = useState<'deactivate' | 'delete' | undefined>();
  const refresh = () =>
    Promise.all([
      queryClient.invalidateQueries({ queryKey: ['accounts'] }),
      queryClient.invalidateQueries({ queryKey: ['account', user.name] }),
    ]);
  const update = async (body: Schemas['UpdateAccount'], done: string) => {
    await dataOf(
      api.PATCH('/api/v0/accounts/{namespace}', { params: { path: { namespace: user.name } }, body }),
    );
    say(done);
    await refresh();
  };
  const change = useMutation({
    mutationFn: ({ body, done }: { body: Schemas['UpdateAccount']; done: string }) => update(body, done),
    onError: (error) => say(describeError(error)),
  });
  const toggleAdmin = () =>
    change.mutate({
      body: { isAdmin: !user.isAdmin },
      done: user.isAdmin ? `${user.name} is no system admin any more` : `${user.name} is a system admin now`,
    });
  const toggleActive = () => {
    if (user.isActive) setConfirming('deactivate');
    else change.mutate({ body: { isActive: true }, done: `${user.name} may sign in again` });
  };
  return (
    <>
      <Menu.Root modal={false}>
        <Menu.Trigger
          className={`${buttonStyles.button} ${buttonStyles.quiet} ${buttonStyles.icon}`}
          aria-label={`What to do with ${user.name}`}
        >
          <Ellipsis size={16} aria-hidden="true" />
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Positioner className={styles.positioner} sideOffset={4} align="end">
            <Menu.Popup className={styles.menu}>
              {!user.isServiceAccount && (
                <Menu.Item className={styles.item} render={<Link to={`/users/${user.name}/password`} />}>
                  <KeyRound size={16} aria-hidden="true" />
                  Set a new password
                </Menu.Item>
              )}
              <Menu.Item className={styles.item} onClick={toggleAdmin}>
                <ShieldCheck size={16} aria-hidden="true" />
                {user.isAdmin ? 'Take system admin away' : 'Make system admin'}
              </Menu.Item>
              <Menu.Item className={styles.item} onClick={toggleActive} disabled={user.id === own.id}>
                <Power size={16} aria-hidden="true" />
                {user.isActive ? 'Deactivate' : 'Activate'}
              </Menu.Item>
              <Menu.Separator className={styles.separator} />
              <Menu.Item
                className={styles.item}
                onClick={() => setConfirming('delete')}
                disabled={user.id === own.id}
              >
                <Trash2 size={16} aria-hidden="true" />
                Delete
              </Menu.Item>
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
      <ConfirmByName
        open={confirming === 'deactivate'}
        onClose={() => setConfirming(undefined)}
        title={
          <>
            Deactivate <Name>{user.name}</Name>
          </>
        }
        name={user.name}
        action="Deactivate user"
        consequences={
          <>
            <li>
              <span>Signed out everywhere at once, and refused from now on; access tokens too.</span>
            </li>
            <li>
              <span>Repositories, memberships and tokens stay, and work again once activated.</span>
            </li>
          </>
        }
        onConfirm={() => update({ isActive: false }, `${user.name} is deactivated`)}
      />
      <ConfirmByName
        open={confirming === 'delete'}
        onClose={() => setConfirming(undefined)}
        title={
          <>
            Delete <Name>{user.name}</Name>
          </>
        }
        name={user.name}
        action="Delete user"
        consequences={
          <>
            <li>
              <span>All repositories of {user.name} are gone at once, with all their images.</span>
            </li>
            <li>
              <span>Memberships, access and tokens are gone, too. The trail of what they did stays.</span>
            </li>
          </>
        }
        onConfirm={async () => {
          await dataOf(
            api.DELETE('/api/v0/accounts/{namespace}', { params: { path: { namespace: user.name } } }),
          );
          say(`Deleted ${user.name}`);
          await refresh();
        }}
      />
    </>
  );
}
