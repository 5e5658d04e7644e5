/** The teams of an organization. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Plus, UsersRound } from 'lucide-react';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { formErrors } from '../api/api-error.ts';
import { api, dataOf, pageOf } from '../api/client.ts';
import { Badge } from '../components/bits.tsx';
import { Button } from '../components/button.tsx';
import { Dialog, DialogEnd } from '../components/dialog.tsx';
import { Form, TextField } from '../components/field.tsx';
import { Section } from '../components/layout.tsx';
import { List, Pager, Row, usePageStart } from '../components/list.tsx';
import { plural } from '../components/numbers.ts';
import { Empty, Failed, Loading } from '../components/states.tsx';
import { useMembership } from './organization.ts';

export function OrganizationTeams() {
  const { org = '' } = useParams();
  const start = usePageStart();
  const isOwner = useMembership(org) === 'owner';
  const [creating, setCreating] = useState(false);
  const teams = useQuery({
    queryKey: ['organization', org, 'teams', start],
    queryFn: () =>
      pageOf(
        api.GET('/api/v0/accounts/{orgname}/teams', {
          params: {
            path: { orgname: org },
            query: { pageSize: 50, count: true, ...(start !== undefined && { pageStart: start }) },
          },
        }),
      ),
    placeholderData: keepPreviousData,
  });
  const create = isOwner && (
    <Button onClick={() => setCreating(true)}>
      <Plus size={16} aria-hidden="true" />
      New team
    </Button>
  );
  const list = teams.data?.data.teams;
  return (
    <Section
      title="Teams"
      text="Access is given to teams: at single repositories, or at all of them."
      actions={list && list.length > 0 && create}
    >
      {teams.isPending && <Loading />}
      {teams.isError && <Failed error={teams.error} onRetry={() => teams.refetch()} />}
      {list?.length === 0 && (
        <Empty icon={UsersRound} title="No teams yet" action={create}>
          Put people who work together into a team, and give it access.
        </Empty>
      )}
      {list !== undefined && list.length > 0 && (
        <List label="Teams">
          {list.map((team) => (
            <Row
              key={team.id}
              goes
              title={
                <>
                  <Link to={`/organizations/${org}/teams/${team.name}`}>{team.name}</Link>
                  {team.clientUserIsMember && <Badge kind="accent">yours</Badge>}
                </>
              }
              text={team.description || undefined}
              side={plural(team.membersCount, 'member')}
            />
          ))}
        </List>
      )}
      <Pager next={teams.data?.next} total={teams.data?.total} noun="team" />
      <Dialog open={creating} onClose={() => setCreating(false)} title="New team" dismissible={false}>
        <CreateForm org={org} onClose={() => setCreating(false)} />
      </Dialog>
    </Section>
  );
}

function CreateForm({ org, onClose }: { org: string; onClose: () => void }) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const create = useMutation({
    mutationFn: () =>
      dataOf(
        api.POST('/api/v0/accounts/{orgname}/teams', {
          params: { path: { orgname: org } },
          body: { name, description },
        }),
      ),
    onSuccess: (team) => {
      queryClient.invalidateQueries({ queryKey: ['organization', org, 'teams'] });
      onClose();
      navigate(`/organizations/${org}/teams/${team.name}`);
    },
  });
  const { errorOf, problem } = formErrors(create.error, ['name']);
  return (
    <Form onSubmit={() => create.mutate()}>
      <TextField
        label="Name"
        value={name}
        onText={setName}
        error={errorOf('name')}
        autoCapitalize="off"
        spellCheck={false}
        autoFocus
      />
      <TextField label="Description" optional value={description} onText={setDescription} maxLength={255} />
      <DialogEnd problem={problem} action="Create team" disabled={name === ''} busy={create.isPending} />
    </Form>
  );
}
