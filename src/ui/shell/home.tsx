/** `/`: what one chooses for one's pulls. */
import { Navigate } from 'react-router';
import { useAccount } from '../session/session.ts';

export function Home() {
  return <Navigate replace to={`/users/${useAccount().name}/settings`} />;
}
