/** A person at a terminal, who runs a command and answers what it asks. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Home } from '../client/program.ts';

const deadlineMs = 30_000;

/**
 * Everything that appeared on the terminal, and the exit code.
 * @param command for a shell; `answers`: what is typed once the question appeared, in this order
 */
export async function atTerminal(
  { environment }: Home,
  command: string,
  answers: readonly (readonly [question: string, typed: string])[],
): Promise<{ code: number | null; shown: string }> {
  // script(1) gives it a terminal, and ends with its exit code.
  const child = spawn('script', ['-q', '-e', '-c', command, '/dev/null'], {
    env: environment,
    timeout: deadlineMs,
    killSignal: 'SIGKILL',
  });
  let shown = '';
  let seen = 0;
  const waiting = [...answers];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    const [question, typed] = waiting[0] ?? [];
    if (question === undefined || typed === undefined) return;
    const at = shown.indexOf(question, seen);
    if (at === -1) return;
    waiting.shift();
    // What is typed answers what appeared so far, not what appears next.
    seen = shown.length;
    child.stdin.write(typed);
  });
  const [code] = await once(child, 'close');
  return { code, shown: shown.replaceAll('\r\n', '\n') };
}
