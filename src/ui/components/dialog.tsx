/** Dialogs: what interrupts is in front, has the focus, and ends with Escape. */
import { Dialog as BaseDialog } from '@base-ui/react/dialog';
import { type ReactNode, useRef } from 'react';
import { Button } from './button.tsx';
import styles from './dialog.module.css';
import { Problem } from './states.tsx';

export function Dialog({
  open,
  onClose,
  title,
  text,
  wide,
  dismissible = true,
  children,
}: {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  text?: ReactNode;
  wide?: boolean;
  /** Whether a click beside it ends it, as Escape does: not where what was typed would be lost. */
  dismissible?: boolean;
  children: ReactNode;
}) {
  const opener = useOpener(open);
  return (
    <BaseDialog.Root
      open={open}
      onOpenChange={(isOpen) => {
        if (!isOpen) onClose();
      }}
      disablePointerDismissal={!dismissible}
    >
      <BaseDialog.Portal>
        <BaseDialog.Backdrop className={styles.backdrop} />
        <BaseDialog.Popup
          className={`${styles.popup} ${wide ? styles.wide : ''}`}
          finalFocus={() => (opener.current?.isConnected ? opener.current : true)}
        >
          <div className={styles.head}>
            <BaseDialog.Title className={styles.title}>{title}</BaseDialog.Title>
            {text !== undefined && (
              <BaseDialog.Description className={styles.text} render={<div />}>
                {text}
              </BaseDialog.Description>
            )}
          </div>
          {children}
        </BaseDialog.Popup>
      </BaseDialog.Portal>
    </BaseDialog.Root>
  );
}

/** What had the focus when it opened: noted before a field of the dialog takes it. */
function useOpener(open: boolean): { readonly current: HTMLElement | null } {
  const opener = useRef<HTMLElement | null>(null);
  const wasOpen = useRef(false);
  if (open && !wasOpen.current) opener.current = document.activeElement as HTMLElement | null;
  wasOpen.current = open;
  return opener;
}

export function DialogActions({ children }: { children: ReactNode }) {
  return <div className={styles.actions}>{children}</div>;
}

/** How a form in a dialog ends: what went wrong with it as a whole, and the ways out of it. */
export function DialogEnd({
  problem,
  action,
  kind = 'primary',
  disabled,
  busy,
  cancel = 'Cancel',
}: {
  problem: string | undefined;
  action: string;
  kind?: 'primary' | 'danger';
  disabled: boolean;
  busy: boolean;
  cancel?: string;
}) {
  return (
    <>
      {problem !== undefined && <Problem>{problem}</Problem>}
      <DialogActions>
        <BaseDialog.Close render={<Button>{cancel}</Button>} />
        <Button kind={kind} type="submit" disabled={disabled} busy={busy}>
          {action}
        </Button>
      </DialogActions>
    </>
  );
}

/** What will be, if it is done: one line each. */
export function Consequences({ children }: { children: ReactNode }) {
  return <ul className={styles.consequences}>{children}</ul>;
}

export function Name({ children }: { children: ReactNode }) {
  return <span className={styles.name}>{children}</span>;
}
