/** How the records that several commands show are shown. */
import type { components } from '../origin/api/contract.d.ts';
import { localTime, type View, yesNo } from './output.ts';

type Schemas = components['schemas'];

export const accountView: View<Schemas['Account']> = {
  id: ({ name }) => name,
  columns: [
    ['Name', ({ name }) => name],
    ['Full name', ({ fullName }) => fullName],
    ['Kind', kindOf],
    ['Admin', ({ isAdmin }) => yesNo(isAdmin)],
    ['Active', ({ isActive }) => yesNo(isActive)],
  ],
  details: [
    ['Members', ({ membersCount }) => membersCount?.toString()],
    ['Teams', ({ teamsCount }) => teamsCount?.toString()],
    ['Id', ({ id }) => id],
  ],
};

function kindOf({ isOrg, isServiceAccount }: Schemas['Account']): string {
  if (isOrg) return 'organization';
  return isServiceAccount ? 'service account' : 'user';
}

export const repositoryView: View<Schemas['Repository']> = {
  id: ({ namespace, name }) => `${namespace}/${name}`,
  columns: [
    ['Name', ({ namespace, name }) => `${namespace}/${name}`],
    ['Visibility', ({ visibility }) => visibility],
    ['Pulls', ({ pulls }) => String(pulls)],
    ['Pushes', ({ pushes }) => String(pushes)],
    ['Description', ({ shortDescription }) => shortDescription],
  ],
  details: [
    ['Immutable tags', ({ immutableTags }) => yesNo(immutableTags)],
    ['Redirected', ({ redirect }) => yesNo(redirect)],
    ['Id', ({ id }) => id],
    ['About', ({ longDescription }) => longDescription || undefined],
  ],
};

export const teamView: View<Schemas['Team']> = {
  id: ({ name }) => name,
  columns: [
    ['Name', ({ name }) => name],
    ['Members', ({ membersCount }) => String(membersCount)],
    ['Description', ({ description }) => description],
  ],
  details: [
    ['You are in it', ({ clientUserIsMember }) => yesNo(clientUserIsMember)],
    ['Id', ({ id }) => id],
  ],
};

export const tokenView: View<Schemas['APIToken']> = {
  id: ({ hashedToken }) => hashedToken,
  columns: [
    ['Id', ({ hashedToken }) => hashedToken.slice(0, 12)],
    ['Label', ({ tokenLabel }) => tokenLabel],
    ['Access', ({ access }) => access],
    ['Active', ({ isActive }) => yesNo(isActive)],
    ['Last used', ({ lastUsed }) => localTime(lastUsed)],
    ['Expires', ({ expiresAt }) => localTime(expiresAt)],
  ],
  details: [
    ['Made', ({ createdAt }) => localTime(createdAt)],
    ['Made by', ({ generatedBy }) => generatedBy],
    ['Made with', ({ creatorUa }) => creatorUa],
  ],
};

export const teamAccessView: View<Schemas['TeamAccess']> = {
  id: ({ team }) => team.name,
  columns: [
    ['Team', ({ team }) => team.name],
    ['Access', ({ accessLevel }) => accessLevel],
  ],
};

export const repositoryAccessView: View<Schemas['RepositoryAccess']> = {
  id: ({ repository }) => repositoryView.id(repository),
  columns: [
    ['Repository', ({ repository }) => repositoryView.id(repository)],
    ['Access', ({ accessLevel }) => accessLevel],
  ],
};
