/** Fields of forms: a label, what may be typed, and what is wrong with it, tied together for screen readers. */
import { Search } from 'lucide-react';
import { type ComponentProps, type ReactNode, useId } from 'react';
import styles from './field.module.css';

interface FieldProps {
  readonly label: ReactNode;
  readonly hint?: ReactNode;
  readonly error?: string | undefined;
  readonly optional?: boolean;
}

interface Wiring {
  readonly id: string;
  readonly 'aria-invalid': boolean;
  readonly 'aria-describedby': string | undefined;
}

function Field({
  label,
  hint,
  error,
  optional,
  children,
}: FieldProps & { children: (wiring: Wiring) => ReactNode }) {
  const id = useId();
  const described = [hint !== undefined && `${id}-hint`, error !== undefined && `${id}-error`].filter(
    Boolean,
  );
  return (
    <div className={styles.field}>
      <label className={styles.label} htmlFor={id}>
        {label}
        {optional && <span className={styles.optional}>optional</span>}
      </label>
      {children({
        id,
        'aria-invalid': error !== undefined,
        'aria-describedby': described.length > 0 ? described.join(' ') : undefined,
      })}
      {error !== undefined && (
        <p id={`${id}-error`} className={styles.error} role="alert">
          {error}
        </p>
      )}
      {hint !== undefined && (
        <p id={`${id}-hint`} className={styles.hint}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** `onText` gets what was typed. */
export function TextField({
  label,
  hint,
  error,
  optional,
  mono,
  onText,
  ...rest
}: FieldProps & Omit<ComponentProps<'input'>, 'id'> & { mono?: boolean; onText: (text: string) => void }) {
  return (
    <Field label={label} hint={hint} error={error} {...(optional && { optional })}>
      {(wiring) => (
        <input
          type="text"
          autoComplete="off"
          // What is no words of a language is not corrected.
          {...(mono && { spellCheck: false, autoCapitalize: 'off' })}
          {...rest}
          {...wiring}
          className={`${styles.input} ${mono ? styles.mono : ''}`}
          onChange={(event) => onText(event.target.value)}
        />
      )}
    </Field>
  );
}

export function TextArea({
  label,
  hint,
  error,
  optional,
  mono,
  onText,
  ...rest
}: FieldProps & Omit<ComponentProps<'textarea'>, 'id'> & { mono?: boolean; onText: (text: string) => void }) {
  return (
    <Field label={label} hint={hint} error={error} {...(optional && { optional })}>
      {(wiring) => (
        <textarea
          {...rest}
          {...wiring}
          className={`${styles.input} ${mono ? styles.mono : ''}`}
          onChange={(event) => onText(event.target.value)}
        />
      )}
    </Field>
  );
}

interface Option<T extends string> {
  readonly value: T;
  readonly label: string;
}

export function SelectField<T extends string>({
  label,
  hint,
  error,
  options,
  value,
  onValue,
}: FieldProps & { options: readonly Option<T>[]; value: T; onValue: (value: T) => void }) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(wiring) => (
        <select
          {...wiring}
          className={`${styles.input} ${styles.select}`}
          value={value}
          onChange={(event) => onValue(event.target.value as T)}
        >
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** A select in a row or a bar, whose label only a screen reader says. */
export function SmallSelect<T extends string>({
  label,
  options,
  value,
  onValue,
  disabled,
}: {
  label: string;
  options: readonly Option<T>[];
  value: T;
  onValue: (value: T) => void;
  disabled?: boolean;
}) {
  return (
    <select
      aria-label={label}
      className={`${styles.input} ${styles.select} ${styles.small}`}
      value={value}
      disabled={disabled}
      onChange={(event) => onValue(event.target.value as T)}
    >
      {options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.label}
        </option>
      ))}
    </select>
  );
}

/** A search box whose label only a screen reader says. */
export function SearchField({
  label,
  value,
  onText,
  placeholder,
}: {
  label: string;
  value: string;
  onText: (text: string) => void;
  placeholder?: string;
}) {
  return (
    <label className={styles.search}>
      <span className="visually-hidden">{label}</span>
      <Search size={16} aria-hidden="true" />
      <input
        type="search"
        className={styles.input}
        value={value}
        placeholder={placeholder ?? label}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => onText(event.target.value)}
      />
    </label>
  );
}

export function Form({
  onSubmit,
  children,
  ...rest
}: Omit<ComponentProps<'form'>, 'onSubmit'> & { onSubmit: () => void }) {
  return (
    <form
      className={styles.form}
      noValidate
      {...rest}
      onSubmit={(event) => {
        event.preventDefault();
        event.stopPropagation();
        onSubmit();
      }}
    >
      {children}
    </form>
  );
}

export function FormActions({ children }: { children: ReactNode }) {
  return <div className={styles.actions}>{children}</div>;
}
