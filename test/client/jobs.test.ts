/** Waiting for jobs of the origin, by a clock that the test moves. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { it } from 'node:test';
import { openApi } from '../../src/client/command.ts';
import { follow } from '../../src/client/jobs.ts';
import { Output } from '../../src/client/output.ts';
import type { Surroundings } from '../../src/client/surroundings.ts';
import { Terminal } from '../../src/client/terminal.ts';
import { freePort } from '../setup/free-port.ts';
import { startTestOrigin } from '../setup/origin.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

it('who waits for a job is told when nothing of it moves any more', async () => {
  const origin = await startTestOrigin({ probeIntervalMs: 60_000 });
  await origin.api('POST', '/content_caches', { name: 'away', host: `http://127.0.0.1:${await freePort()}` });
  const submission = { action: 'content-cache-purge', parameters: { everything: true } };
  const { id } = (await (await origin.api('POST', '/jobs', submission)).json()) as { id: string };
  const surroundings = {
    env: { DTR_TOKEN: `admin:${origin.adminPassword}`, XDG_CONFIG_HOME: await tempDirectory() },
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
  } as unknown as Surroundings;
  const asked = {
    api: await openApi(origin.url, surroundings.env),
    output: new Output({}, surroundings),
    terminal: new Terminal(surroundings),
  };
  let now = 0;
  await assert.rejects(
    follow(asked, id, {
      clock: () => now,
      pause: async () => {
        now += 60_000;
      },
    }),
    ({ message, advice, exitCode }) => {
      assert.match(
        message,
        new RegExp(`^nothing of the job ${id} has moved for 10 minutes; it goes on until 2`),
      );
      assert.equal(advice, `see: dtr job logs ${id}; to wait again: dtr job wait ${id}`);
      assert.equal(exitCode, 1);
      return true;
    },
  );
  asked.api.close();
});
