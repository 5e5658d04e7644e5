/** A choice in words, for people who ask why a pull goes where it goes. */
import type { ChoiceStep } from './choose.ts';

/** One sentence, without the full stop. */
export function explainStep(step: ChoiceStep): string {
  switch (step.decider) {
    case 'repository':
      return 'the repository is exempt from redirecting: the origin serves it';
    case 'user-setting':
      return explain(step, "the user's setting", 'is automatic: rules and defaults decide');
    case 'network-rule':
      return step.of === undefined
        ? 'no network rule fits the address'
        : explain(step, `the rule for ${step.of}`, '');
    case 'organization-default':
      return explain(step, `the organization ${step.of}`, 'leaves it to others');
    case 'system-default':
      return step.says === 'automatic'
        ? 'the system has no default'
        : explain(step, "the system's default", '');
    case 'nothing-else':
      return 'nobody names a cache: the origin serves it';
  }
}

function explain({ says, skipped }: ChoiceStep, who: string, automatic: string): string {
  if (says === 'automatic') return `${who} ${automatic}`;
  if (says === 'none') return `${who} says that the origin serves`;
  return skipped === undefined
    ? `${who} says ${says.name}`
    : `${who} says ${says.name}, which is passed over: ${reasons[skipped]}`;
}

const reasons = {
  disabled: 'an admin switched it off',
  down: 'the origin finds it down',
  'not-reached': 'this user did not reach it from this address in the last minutes',
  'broke-off': 'a download there ended early',
  'no-answer': 'it does not tell the origin what became of its clients',
} as const satisfies Record<NonNullable<ChoiceStep['skipped']>, string>;
