import { Compass } from 'lucide-react';
import { LinkButton } from '../components/button.tsx';
import { Page } from '../components/layout.tsx';
import { Empty } from '../components/states.tsx';

export function NotFound() {
  return (
    <Page name="Not found" title={<span className="visually-hidden">Not found</span>}>
      <Empty
        icon={Compass}
        title="There is no page at this address"
        action={<LinkButton to="/">Go home</LinkButton>}
      >
        It may have been moved or deleted, or you may not see it.
      </Empty>
    </Page>
  );
}
