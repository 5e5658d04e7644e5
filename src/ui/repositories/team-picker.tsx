import { useQuery } from '@tanstack/react-query';
import { api, dataOf } from '../api/client.ts';
import { SelectField } from '../components/field.tsx';

/** One of the teams of an organization. */
export function TeamPicker({
  label,
  organization,
  value,
  onValue,
}: {
  label: string;
  organization: string;
  value: string;
  onValue: (name: string) => void;
}) {
  const teams = useQuery({
    queryKey: ['organization', organization, 'teams', 'all'],
    queryFn: () =>
      dataOf(
        api.GET('/api/v0/accounts/{orgname}/teams', {
          params: { path: { orgname: organization }, query: { pageSize: 1000 } },
        }),
      ),
  });
  const names = teams.data?.teams.map((team) => team.name) ?? [];
  return (
    <SelectField
      label={label}
      value={value}
      onValue={onValue}
      options={[
        { value: '', label: names.length === 0 ? 'There is no team yet' : 'Choose a team' },
        ...names.map((name) => ({ value: name, label: name })),
      ]}
    />
  );
}
