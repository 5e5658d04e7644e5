/** The pages and their addresses. Each page's code is loaded when it is first gone to. */
import type { ComponentType } from 'react';
import { createBrowserRouter, redirect } from 'react-router';
import { SignInPage } from './session/sign-in-page.tsx';
import { Home } from './shell/home.tsx';
import { NotFound } from './shell/not-found.tsx';
import { PageCrashed } from './shell/page-crashed.tsx';
import { Progress, Shell } from './shell/shell.tsx';

/** A page by the name of its export. */
function page<N extends string>(load: () => Promise<Record<N, ComponentType>>, name: N) {
  return { lazy: async () => ({ Component: (await load())[name] }) };
}

const repository = () => import('./repositories/repository-page.tsx');
const profile = () => import('./profile/profile-page.tsx');
const organization = () => import('./organizations/organization-page.tsx');
const admin = () => import('./admin/admin-page.tsx');

export function createRouter() {
  return createBrowserRouter([
    { path: '/sign-in', Component: SignInPage },
    {
      Component: Shell,
      HydrateFallback: Progress,
      ErrorBoundary: PageCrashed,
      children: [
        {
          // Kept inside of the frame: a page that fails leaves the way to the others.
          ErrorBoundary: PageCrashed,
          children: [
            { index: true, Component: Home },
            {
              path: '/getting-started',
              ...page(() => import('./getting-started/getting-started-page.tsx'), 'GettingStartedPage'),
            },
            {
              path: '/repositories',
              ...page(() => import('./repositories/repositories-page.tsx'), 'RepositoriesPage'),
            },
            {
              path: '/repositories/:namespace/:name',
              ...page(repository, 'RepositoryPage'),
              children: [
                { index: true, loader: () => redirect('tags') },
                { path: 'tags', ...page(() => import('./repositories/tags.tsx'), 'RepositoryTags') },
                { path: 'access', ...page(() => import('./repositories/access.tsx'), 'RepositoryAccess') },
                {
                  path: 'settings',
                  ...page(() => import('./repositories/settings.tsx'), 'RepositorySettings'),
                },
              ],
            },
            {
              path: '/users/:username',
              ...page(profile, 'ProfilePage'),
              children: [
                { index: true, loader: () => redirect('settings') },
                { path: 'settings', ...page(() => import('./profile/settings.tsx'), 'ProfileSettings') },
                { path: 'password', ...page(() => import('./profile/password.tsx'), 'ProfilePassword') },
                { path: 'tokens', ...page(() => import('./profile/tokens.tsx'), 'ProfileTokens') },
                { path: 'activity', ...page(() => import('./profile/activity.tsx'), 'ProfileActivity') },
              ],
            },
            {
              path: '/organizations',
              ...page(() => import('./organizations/organizations-page.tsx'), 'OrganizationsPage'),
            },
            {
              path: '/organizations/:org',
              ...page(organization, 'OrganizationPage'),
              children: [
                { index: true, loader: () => redirect('repositories') },
                {
                  path: 'repositories',
                  ...page(() => import('./organizations/repositories.tsx'), 'OrganizationRepositories'),
                },
                {
                  path: 'members',
                  ...page(() => import('./organizations/members.tsx'), 'OrganizationMembers'),
                },
                { path: 'teams', ...page(() => import('./organizations/teams.tsx'), 'OrganizationTeams') },
                {
                  path: 'settings',
                  ...page(() => import('./organizations/settings.tsx'), 'OrganizationSettings'),
                },
              ],
            },
            {
              path: '/organizations/:org/teams/:team',
              ...page(() => import('./organizations/team-page.tsx'), 'TeamPage'),
            },
            {
              path: '/admin',
              ...page(admin, 'AdminPage'),
              children: [
                { index: true, loader: () => redirect('content-caches') },
                {
                  path: 'content-caches',
                  ...page(() => import('./admin/content-caches.tsx'), 'AdminContentCaches'),
                },
                {
                  path: 'content-caches/:id',
                  ...page(() => import('./admin/content-cache-page.tsx'), 'ContentCachePage'),
                },
                {
                  path: 'network-rules',
                  ...page(() => import('./admin/network-rules.tsx'), 'AdminNetworkRules'),
                },
                { path: 'jobs', ...page(() => import('./admin/jobs.tsx'), 'AdminJobs') },
                { path: 'jobs/:id', ...page(() => import('./admin/job-page.tsx'), 'JobPage') },
                { path: 'users', ...page(() => import('./admin/users.tsx'), 'AdminUsers') },
                { path: 'events', ...page(() => import('./admin/events.tsx'), 'AdminEvents') },
                { path: 'system', ...page(() => import('./admin/system.tsx'), 'AdminSystem') },
              ],
            },
            { path: '*', Component: NotFound },
          ],
        },
      ],
    },
  ]);
}
