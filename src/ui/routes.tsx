/** The pages and their addresses. Each page's code is loaded when it is first gone to. */
import type { ComponentType } from 'react';
import { createBrowserRouter, redirect } from 'react-router';
import { SignInPage } from './session/sign-in-page.tsx';
import { Home } from './shell/home.tsx';
import { NotFound } from './shell/not-found.tsx';
import { PageCrashed } from './shell/page-crashed.tsx';
import { Shell } from './shell/shell.tsx';

/** A page by the name of its export. */
function page<N extends string>(load: () => Promise<Record<N, ComponentType>>, name: N) {
  return { lazy: async () => ({ Component: (await load())[name] }) };
}

const profile = () => import('./profile/profile-page.tsx');
const admin = () => import('./admin/admin-page.tsx');

export function createRouter() {
  return createBrowserRouter([
    { path: '/sign-in', Component: SignInPage },
    {
      Component: Shell,
      ErrorBoundary: PageCrashed,
      children: [
        {
          // Kept inside of the frame: a page that fails leaves the way to the others.
          ErrorBoundary: PageCrashed,
          children: [
            { index: true, Component: Home },
            {
              path: '/users/:username',
              ...page(profile, 'ProfilePage'),
              children: [
                { index: true, loader: () => redirect('settings') },
                { path: 'settings', ...page(() => import('./profile/settings.tsx'), 'ProfileSettings') },
              ],
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
              ],
            },
            { path: '*', Component: NotFound },
          ],
        },
      ],
    },
  ]);
}
