import { Compass } from 'lucide-react';
import { LinkButton } from '../components/button.tsx';
import { Page } from '../components/layout.tsx';
import { Empty } from '../components/states.tsx';

export function NotFound() {
  return (
    <Page name="Not found" title="Not found">
      <Empty
        icon={Compass}
        title="There is no page at this address"
        action={<LinkButton to="/repositories">Go to the repositories</LinkButton>}
      >
        It may have been moved or deleted, or you may not see it.
      </Empty>
    </Page>
  );
}
