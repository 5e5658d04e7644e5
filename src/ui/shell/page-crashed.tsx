/** A page whose code failed, or could not be loaded: most often because a newer version was installed meanwhile. */
import { Button } from '../components/button.tsx';
import { Page } from '../components/layout.tsx';
import { Problem } from '../components/states.tsx';

export function PageCrashed() {
  return (
    <Page name="Something went wrong">
      <Problem>This page could not be shown. If DTR was updated meanwhile, reloading it helps.</Problem>
      <div>
        <Button kind="primary" onClick={() => location.reload()}>
          Reload the page
        </Button>
      </div>
    </Page>
  );
}
