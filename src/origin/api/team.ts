/** A team as the API shows it. */
import type { TeamView } from '../accounts/teams.ts';
import type { components } from './contract.d.ts';

export function toTeam(team: TeamView): components['schemas']['Team'] {
  const { id, organizationId, name, description, membersCount, isMember } = team;
  return { id, orgID: organizationId, name, description, membersCount, clientUserIsMember: isMember };
}
