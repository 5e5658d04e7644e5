/** Finds a user or an organization by the beginning of its name. */
import { Autocomplete } from '@base-ui/react/autocomplete';
import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import { api, dataOf } from '../api/client.ts';
import styles from './account-picker.module.css';
import { Avatar } from './bits.tsx';
import fieldStyles from './field.module.css';
import { useDebounced } from './use-debounced.ts';

export function AccountPicker({
  label,
  filter,
  value,
  onValue,
}: {
  label: string;
  filter: 'users' | 'orgs';
  value: string;
  onValue: (name: string) => void;
}) {
  const id = useId();
  const query = useDebounced(value.trim().toLowerCase(), 150);
  const found = useQuery({
    queryKey: ['accounts', 'picker', filter, query],
    queryFn: () => dataOf(api.GET('/api/v0/accounts', { params: { query: { filter, query, pageSize: 8 } } })),
    enabled: query !== '',
  });
  const accounts = query === '' ? [] : (found.data?.accounts ?? []);
  return (
    <div className={fieldStyles.field}>
      <label className={fieldStyles.label} htmlFor={id}>
        {label}
      </label>
      <Autocomplete.Root
        items={accounts}
        value={value}
        onValueChange={onValue}
        itemToStringValue={(account: { name: string }) => account.name}
        filter={null}
      >
        <Autocomplete.Input
          id={id}
          className={fieldStyles.input}
          placeholder={filter === 'users' ? 'User name' : 'Organization'}
          spellCheck={false}
          autoCapitalize="off"
        />
        <Autocomplete.Portal>
          <Autocomplete.Positioner className={styles.positioner} sideOffset={4}>
            <Autocomplete.Popup className={styles.popup} hidden={accounts.length === 0}>
              <Autocomplete.List>
                {(account: { id: string; name: string; fullName: string }) => (
                  <Autocomplete.Item key={account.id} value={account} className={styles.item}>
                    <Avatar name={account.name} square={filter === 'orgs'} />
                    <span>{account.name}</span>
                    <span className={styles.full}>{account.fullName}</span>
                  </Autocomplete.Item>
                )}
              </Autocomplete.List>
            </Autocomplete.Popup>
          </Autocomplete.Positioner>
        </Autocomplete.Portal>
      </Autocomplete.Root>
    </div>
  );
}
