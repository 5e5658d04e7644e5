/** A user's profile: one's own, or anybody's for a system admin. */
import { Outlet, useParams } from 'react-router';
import { Avatar } from '../components/bits.tsx';
import { Page, Tabs } from '../components/layout.tsx';

export function ProfilePage() {
  const { username = '' } = useParams();
  return (
    <Page
      name={username}
      title={
        <>
          <Avatar name={username} large />
          <span>{username}</span>
        </>
      }
    >
      <Tabs label="Profile" tabs={[{ to: `/users/${username}/settings`, label: 'Settings' }]} />
      <Outlet />
    </Page>
  );
}
