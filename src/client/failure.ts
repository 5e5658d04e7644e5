/** What a command ends with when it does not do what was asked for: a line, what to do next, and an exit code. */

import { printable } from './printable.ts';

/** As docs/command-line.md lists them. */
export const exitCodes = { failed: 1, usage: 2, notSignedIn: 3, notFound: 4 } as const;

export class Failure extends Error {
  readonly exitCode: (typeof exitCodes)[keyof typeof exitCodes];
  /** What to do next. */
  readonly advice: string | undefined;

  constructor(kind: keyof typeof exitCodes, message: string, advice?: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'Failure';
    this.exitCode = exitCodes[kind];
    this.advice = advice;
  }

  /** As a person reads it. */
  describe(): string {
    const next = this.advice === undefined ? [] : [`     ${printable(this.advice)}`];
    return [`dtr: ${printable(this.message)}`, ...next].join('\n');
  }
}
