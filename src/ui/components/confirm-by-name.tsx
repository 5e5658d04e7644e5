/** Destroying something: its consequences, and its name typed by hand before the button works. */
import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { formErrors } from '../api/api-error.ts';
import { Consequences, Dialog, DialogEnd, Name } from './dialog.tsx';
import { Form, TextField } from './field.tsx';

interface ConfirmByNameProps {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly title: ReactNode;
  /** What must be typed. */
  readonly name: string;
  /** List items: what will be gone, and what will not. */
  readonly consequences: ReactNode;
  /** What can be chosen about it. */
  readonly options?: ReactNode;
  readonly action: string;
  readonly onConfirm: () => Promise<unknown>;
}

export function ConfirmByName(props: ConfirmByNameProps) {
  return (
    <Dialog open={props.open} onClose={props.onClose} title={props.title}>
      <Confirmation {...props} />
    </Dialog>
  );
}

/** Mounted with the dialog, so that it begins empty each time. */
function Confirmation({ name, consequences, options, action, onConfirm, onClose }: ConfirmByNameProps) {
  const [typed, setTyped] = useState('');
  const confirm = useMutation({ mutationFn: onConfirm, onSuccess: onClose });
  const { problem } = formErrors(confirm.error, []);
  const matches = typed === name;
  return (
    <Form
      onSubmit={() => {
        if (matches) confirm.mutate();
      }}
    >
      <Consequences>{consequences}</Consequences>
      {options}
      <TextField
        label={
          <>
            Type <Name>{name}</Name> to confirm
          </>
        }
        value={typed}
        onText={setTyped}
        spellCheck={false}
        autoCapitalize="off"
        mono
      />
      <DialogEnd
        problem={problem}
        action={action}
        kind="danger"
        disabled={!matches}
        busy={confirm.isPending}
      />
    </Form>
  );
}
