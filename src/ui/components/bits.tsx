/** Small things that stand in lines of text: badges, times, digests, what can be copied, and faces. */
import { Check, Copy } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { say } from '../shell/announcements.ts';
import styles from './bits.module.css';

export function Badge({
  kind,
  children,
}: {
  kind?: 'accent' | 'good' | 'warn' | 'bad';
  children: ReactNode;
}) {
  return <span className={`${styles.badge} ${kind ? styles[kind] : ''}`}>{children}</span>;
}

const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
const steps: [unit: Intl.RelativeTimeFormatUnit, seconds: number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** Here and now for a reader; UTC where the pointer rests. */
export function Time({ at, exact }: { at: string; exact?: boolean }) {
  const date = new Date(at);
  const utc = `${date.toISOString().replace('T', ' ').slice(0, 19)} UTC`;
  return (
    <time
      className={styles.time}
      dateTime={date.toISOString()}
      title={exact ? utc : `${day.format(date)} (${utc})`}
    >
      {exact ? day.format(date) : ago(date, new Date())}
    </time>
  );
}

function ago(date: Date, now: Date): string {
  const seconds = (date.getTime() - now.getTime()) / 1_000;
  if (Math.abs(seconds) > 30 * 86_400) return day.format(date);
  const step = steps.find(([, length]) => Math.abs(seconds) >= length);
  if (step === undefined) return seconds > 0 ? 'in a moment' : 'just now';
  return relative.format(Math.round(seconds / step[1]), step[0]);
}

/** `what` says what is copied, to screen readers. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <button
      type="button"
      className={styles.copy}
      title={`Copy ${what}`}
      aria-label={`Copy ${what}`}
      data-copied={copied || undefined}
      onClick={async () => {
        const done = await copyText(text);
        say(done ? `Copied ${what}` : 'The browser does not let this page copy: select the text instead');
        if (!done) return;
        setCopied(true);
        setTimeout(() => setCopied(false), 1_600);
      }}
    >
      {copied ? <Check size={14} aria-hidden="true" /> : <Copy size={14} aria-hidden="true" />}
    </button>
  );
}

/** Over plain HTTP there is no clipboard but by a selection. */
async function copyText(text: string): Promise<boolean> {
  if (navigator.clipboard !== undefined) {
    const written = await navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
    if (written) return true;
  }
  const area = document.createElement('textarea');
  area.value = text;
  area.setAttribute('readonly', '');
  area.className = 'visually-hidden';
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  return done;
}

/** A line for the terminal. */
export function Command({ text, what = 'the command' }: { text: string; what?: string }) {
  return (
    <div className={styles.command}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long line is scrolled by the keyboard, too */}
      <code tabIndex={0}>{text}</code>
      <CopyButton text={text} what={what} />
    </div>
  );
}

/** The first letters of a digest; all of it is copied. */
export function DigestText({ digest }: { digest: string }) {
  const [algorithm, hex = ''] = digest.split(':');
  return (
    <span className={styles.digest}>
      <span title={digest}>
        {algorithm}:{hex.slice(0, 12)}
      </span>
      <CopyButton text={digest} what="the digest" />
    </span>
  );
}

export function Avatar({ name, square, large }: { name: string; square?: boolean; large?: boolean }) {
  return (
    <span
      className={`${styles.avatar} ${square ? styles.square : ''} ${large ? styles.large : ''}`}
      aria-hidden="true"
      data-initials={initialsOf(name)}
    />
  );
}

/** `ci-runner` is CR, `jane` is JA. */
function initialsOf(name: string): string {
  const [first = '', second] = name.split(/[^\p{L}\p{N}]+/u).filter((part) => part !== '');
  return second === undefined ? first.slice(0, 2) : first.slice(0, 1) + second.slice(0, 1);
}
