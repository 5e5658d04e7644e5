/** What is pressed: to do something (`Button`), to go somewhere (`LinkButton`), or a sign alone (`IconButton`). */
import type { ComponentProps, ReactNode } from 'react';
import { Link, type LinkProps } from 'react-router';
import styles from './button.module.css';

type Kind = 'plain' | 'primary' | 'danger' | 'dangerQuiet' | 'quiet';

interface Look {
  readonly kind?: Kind;
  readonly small?: boolean;
}

function classesOf({ kind = 'plain', small }: Look, more?: string): string {
  return [styles.button, styles[kind], small && styles.small, more].filter(Boolean).join(' ');
}

/** `busy`: what it started goes on; it is not pressed again. */
export function Button({
  kind,
  small,
  busy,
  className,
  children,
  disabled,
  ...rest
}: ComponentProps<'button'> & Look & { busy?: boolean }) {
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      className={classesOf({ ...(kind && { kind }), ...(small && { small }) }, className)}
    >
      {busy && <span className={styles.spinner} aria-hidden="true" />}
      {children}
    </button>
  );
}

export function LinkButton({ kind, small, className, ...rest }: LinkProps & Look) {
  return (
    <Link
      {...rest}
      className={classesOf(
        { ...(kind && { kind }), ...(small && { small }) },
        className as string | undefined,
      )}
    />
  );
}

/** `label` is what a screen reader says, and what a pointer that rests on it shows. */
export function IconButton({
  label,
  kind = 'quiet',
  className,
  children,
  ...rest
}: ComponentProps<'button'> & { label: string; kind?: Kind; children: ReactNode }) {
  return (
    <button
      type="button"
      title={label}
      aria-label={label}
      {...rest}
      className={classesOf({ kind }, `${styles.icon} ${className ?? ''}`)}
    >
      {children}
    </button>
  );
}
