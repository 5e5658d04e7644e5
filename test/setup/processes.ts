/** Programs that a test starts, and ends by their process ids. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { LogLine } from './logger.ts';

const root = join(import.meta.dirname, '../..');
const startDeadlineMs = 30_000;
const stopDeadlineMs = 15_000;

export interface RunningProgram {
  readonly pid: number;
  /** What it logged so far. */
  readonly logs: LogLine[];
  stop(): Promise<void>;
}

/** Starts one of our two programs and resolves once it listens. */
export async function startProgram(
  program: 'dtr' | 'dtr-content-cache',
  args: string[],
): Promise<RunningProgram> {
  const child = spawn(process.execPath, [join(root, 'src', `${program}.ts`), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const logs: LogLine[] = [];
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${program} did not listen in time`)), startDeadlineMs);
    child.once('exit', (code) => reject(new Error(`${program} ended with code ${code}`)));
    createInterface(child.stdout).on('line', (line) => {
      const entry = JSON.parse(line) as LogLine;
      logs.push(entry);
      if (entry.msg !== 'listening') return;
      clearTimeout(late);
      resolve();
    });
  });
  return { pid: child.pid as number, logs, stop: () => stop(child) };
}

/** Runs one of our programs to its end; what it printed, line by line. `input` is its standard input. */
export async function runProgram(
  program: 'dtr' | 'dtr-content-cache',
  args: string[],
  input = '',
): Promise<{ code: number; output: string[]; errors: string[] }> {
  const child = spawn(process.execPath, [join(root, 'src', `${program}.ts`), ...args]);
  child.stdin.end(input);
  const [output, errors, [code]] = await Promise.all([
    linesOf(child.stdout),
    linesOf(child.stderr),
    once(child, 'close'),
  ]);
  return { code, output, errors };
}

async function linesOf(stream: NodeJS.ReadableStream): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of createInterface(stream)) lines.push(line);
  return lines;
}

/** SIGTERM, and SIGKILL for who does not listen. */
export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs);
  await ended;
  clearTimeout(late);
}

/** Runs a client to its end. Rejects with what it printed when it fails, or takes more than `timeoutMs` (three minutes). */
export async function runClient(
  command: string,
  args: string[],
  options: { env?: Record<string, string>; cwd?: string; timeoutMs?: number } = {},
): Promise<string> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, args, {
      timeout: options.timeoutMs ?? 180_000,
      maxBuffer: 16 * 1024 * 1024,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, ...options.env },
    });
    return stdout + stderr;
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    // The end says why; a client's whole output would hide it.
    throw new Error(`${message.split('\n')[0]}\n${(stdout + stderr).slice(-3000)}`);
  }
}

/**
 * Why a test of this command cannot run here, for the `skip` option of node:test; `false` when it can. With CI=true it is
 * never skipped: then it fails.
 */
export function missing(...commands: string[]): string | false {
  if (process.env.CI === 'true') return false;
  const paths = (process.env.PATH ?? '').split(delimiter);
  const absent = commands.filter((command) => !paths.some((path) => existsSync(join(path, command))));
  return absent.length === 0 ? false : `NOT TESTED: ${absent.join(' and ')} not installed`;
}

/** Resolves when the condition holds. Rejects after the deadline, naming what was waited for. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  deadlineMs = 10_000,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited ${deadlineMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
