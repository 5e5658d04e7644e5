/** What `dtr` says when it gets no for an answer, or none, and with which exit code it ends. */
import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { Api } from '../../src/client/api.ts';
import { type Answer, openConnection } from '../../src/client/connection.ts';
import type { Failure } from '../../src/client/failure.ts';
import { refusal } from '../../src/client/refusal.ts';
import { freePort } from '../setup/free-port.ts';
import { home } from './program.ts';

function refused(
  status: number,
  error: { code: string; message: string; detail?: object },
  headers: Record<string, string> = {},
): Answer {
  return { status, headers, text: JSON.stringify({ errors: [error] }) };
}

const refusals: [what: string, answer: Answer, code: number, said: string[]][] = [
  [
    'a field that is wrong',
    refused(400, { code: 'INVALID_PARAMETERS', message: 'must be string', detail: { field: 'host' } }),
    1,
    ['dtr: host: must be string (INVALID_PARAMETERS)'],
  ],
  [
    'a message that names its field by itself',
    refused(400, { code: 'INVALID_PARAMETERS', message: 'host: must be string', detail: { field: 'host' } }),
    1,
    ['dtr: host: must be string (INVALID_PARAMETERS)'],
  ],
  [
    'not signed in any more',
    refused(401, { code: 'NOT_AUTHENTICATED', message: 'The client is not authenticated.' }),
    3,
    [
      'dtr: The client is not authenticated. (NOT_AUTHENTICATED)',
      '     sign in anew: dtr login https://dtr.example',
    ],
  ],
  [
    'not allowed',
    refused(403, { code: 'NOT_AUTHORIZED', message: 'The client is not authorized.' }),
    1,
    [
      'dtr: The client is not authorized. (NOT_AUTHORIZED)',
      '     jane may not do this at https://dtr.example: ask one of its admins, or an owner of the organization',
    ],
  ],
  [
    'not allowed with this token, whoever asks',
    refused(403, {
      code: 'NOT_AUTHORIZED',
      message: 'The client is not authorized: this access token only reads.',
    }),
    1,
    ['dtr: The client is not authorized: this access token only reads. (NOT_AUTHORIZED)'],
  ],
  [
    'not there',
    refused(404, { code: 'NO_SUCH_USER', message: 'A user with the given name does not exist.' }),
    4,
    [
      'dtr: A user with the given name does not exist. (NO_SUCH_USER)',
      '     it does not exist at https://dtr.example, or jane may not see it',
    ],
  ],
  [
    'an origin of another version',
    refused(404, { code: 'NO_SUCH_PATH', message: 'no such operation' }),
    1,
    ['dtr: https://dtr.example does not know this operation', '     is it older than this dtr?'],
  ],
  [
    'changed meanwhile',
    refused(412, { code: 'PRECONDITION_FAILED', message: 'it was changed since you read it: read it again' }),
    1,
    [
      'dtr: it was changed since you read it: read it again (PRECONDITION_FAILED)',
      '     somebody changed it meanwhile: look at it, then run the command again',
    ],
  ],
  [
    'too often',
    refused(429, { code: 'TOO_MANY_REQUESTS', message: 'too many failed sign-ins' }, { 'retry-after': '60' }),
    1,
    ['dtr: too many failed sign-ins (TOO_MANY_REQUESTS)', '     try again in 60 s'],
  ],
  [
    'an error of the origin',
    refused(500, { code: 'INTERNAL_ERROR', message: 'An error occurred.', detail: { requestId: '5c0f' } }),
    1,
    [
      'dtr: An error occurred. (INTERNAL_ERROR, request 5c0f)',
      '     an admin finds more by the request in the log of the origin',
    ],
  ],
  [
    'a message that would clear the screen',
    refused(400, { code: 'INVALID_PARAMETERS', message: 'no \u001b[2J' }),
    1,
    ['dtr: no \\u001b[2J (INVALID_PARAMETERS)'],
  ],
  [
    'a proxy that answers for it',
    { status: 502, headers: { 'content-type': 'text/html' }, text: '<h1>Bad Gateway</h1>' },
    1,
    [
      'dtr: https://dtr.example answered 502, not as a DTR does',
      '     check the URL, and what is on the way',
    ],
  ],
  [
    'a server that sends elsewhere: no password follows',
    { status: 301, headers: { location: 'https://elsewhere.example/' }, text: '' },
    1,
    [
      'dtr: https://dtr.example answered 301 and sends to https://elsewhere.example/, not as a DTR does',
      '     check the URL, and what is on the way',
    ],
  ],
];

describe('what the origin refused, in a line or two and an exit code', () => {
  for (const [what, answer, code, said] of refusals) {
    it(what, () => {
      const failure = refusal(answer, { origin: 'https://dtr.example', user: 'jane' });
      assert.deepEqual([failure.exitCode, failure.describe().split('\n')], [code, said]);
    });
  }
});

describe('what is no answer', () => {
  const ask = async (url: string, answerMs = 10_000): Promise<string> => {
    const connection = await openConnection(url, { ca: undefined, answerMs });
    const api = new Api({ origin: url, connection, credentials: { user: 'jane', secret: 'secret' } });
    try {
      await api.ask('GET /api/v0/content_caches');
      return 'an answer';
    } catch (error) {
      return (error as Failure).describe().replaceAll(url, '<url>');
    } finally {
      api.close();
    }
  };

  it('a page', async () => {
    const url = await answering((response) =>
      response.writeHead(200, { 'Content-Type': 'text/html' }).end('<h1>Welcome</h1>'),
    );
    assert.equal(await ask(url), 'dtr: <url> answered with text/html, not with JSON\n     is it a DTR?');
  });

  it('one that breaks off', async () => {
    const url = await answering((response) => {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '100' });
      response.write('[', () => response.destroy());
    });
    assert.equal(await ask(url), 'dtr: cannot reach <url>: it ended the connection');
  });

  it('none in time', async () => {
    assert.equal(
      await ask(await answering(() => {}), 50),
      'dtr: cannot reach <url>: it did not answer in time',
    );
  });

  it('nothing listens there', async () => {
    assert.equal(
      await ask(`http://127.0.0.1:${await freePort()}`),
      'dtr: cannot reach <url>: nothing listens there',
    );
  });

  it('it does not speak TLS', async () => {
    const url = await answering((response) => response.end());
    assert.equal(
      await ask(url.replace('http:', 'https:')),
      'dtr: cannot reach <url>: it does not speak TLS there',
    );
  });
});

describe('what is typed wrongly: exit code 2, and no request', () => {
  const lines: [line: string, said: string][] = [
    ['cache show', "dtr: missing required argument 'cache'"],
    ['repo show web', 'dtr: web: <namespace>/<name> expected'],
  ];
  for (const [line, said] of lines) {
    it(`dtr ${line}`, async () => {
      const { dtr } = await home({
        DTR_URL: `http://127.0.0.1:${await freePort()}`,
        DTR_TOKEN: 'jane:secret',
      });
      assert.deepEqual(await dtr(line), { code: 2, out: '', said: [said] });
    });
  }
});

/** A server that answers every request in the same way. */
async function answering(answer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((_, response) => answer(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
