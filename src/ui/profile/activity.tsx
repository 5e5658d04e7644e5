/** What a user did, and what was refused to them. */
import { useParams } from 'react-router';
import { Section } from '../components/layout.tsx';
import { EventList } from '../events/event-list.tsx';

export function ProfileActivity() {
  const { username = '' } = useParams();
  return (
    <Section
      title="Activity"
      text="Signing in, and what was changed. Pulls are counted at their repositories."
    >
      <EventList filter={{ actorId: username }} />
    </Section>
  );
}
