/** One of several, each with what it means; and yes or no. */
import { type ReactNode, useId } from 'react';
import styles from './choice.module.css';

interface ChoiceOption<T extends string> {
  readonly value: T;
  readonly title: ReactNode;
  readonly text?: ReactNode;
}

export function Choice<T extends string>({
  legend,
  hideLegend,
  options,
  value,
  onValue,
  disabled,
}: {
  legend: string;
  hideLegend?: boolean;
  options: readonly ChoiceOption<T>[];
  value: T;
  onValue: (value: T) => void;
  disabled?: boolean;
}) {
  const name = useId();
  return (
    <fieldset disabled={disabled}>
      <legend className={hideLegend ? 'visually-hidden' : styles.legend}>{legend}</legend>
      <div className={styles.list}>
        {options.map((option) => (
          <label key={option.value} className={styles.option}>
            <input
              type="radio"
              name={name}
              value={option.value}
              checked={option.value === value}
              onChange={() => onValue(option.value)}
            />
            <span className={styles.body}>
              <span className={styles.title}>{option.title}</span>
              {option.text !== undefined && <span className={styles.text}>{option.text}</span>}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

export function Check({
  title,
  text,
  checked,
  onChecked,
  disabled,
}: {
  title: ReactNode;
  text?: ReactNode;
  checked: boolean;
  onChecked: (checked: boolean) => void;
  disabled?: boolean;
}) {
  return (
    <label className={styles.check}>
      <input
        type="checkbox"
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChecked(event.target.checked)}
      />
      <span className={styles.body}>
        <span className={styles.title}>{title}</span>
        {text !== undefined && <span className={styles.text}>{text}</span>}
      </span>
    </label>
  );
}
