/** Destroying something: its consequences, and its name typed by hand before the button works. */
import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { describeError } from '../api/api-error.ts';
import { Button } from './button.tsx';
import { Consequences, Dialog, DialogActions, Name } from './dialog.tsx';
import { Form, TextField } from './field.tsx';
import { Problem } from './states.tsx';

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
      {confirm.isError && <Problem>{describeError(confirm.error)}</Problem>}
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button kind="danger" type="submit" disabled={!matches} busy={confirm.isPending}>
          {action}
        </Button>
      </DialogActions>
    </Form>
  );
}
