/** Requests as they go over the wire: nothing is normalised, added or repeated. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Everything that came, with what came before the answer. */
  readonly text: string;
}

export function openSocket(url: string): Socket {
  const { hostname, port } = new URL(url);
  return connect({ host: hostname, port: Number(port) });
}

/** Sends head and body as they are and reads until the server closes, which `Connection: close` asks for. */
export async function rawRequest(
  url: string,
  requestLine: string,
  headers: readonly string[] = [],
  body: Uint8Array | string = '',
): Promise<RawAnswer> {
  const socket = openSocket(url);
  try {
    const head = [`${requestLine} HTTP/1.1`, `Host: ${new URL(url).host}`, 'Connection: close', ...headers];
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    socket.write(body);
    return parseAnswer(await readToEnd(socket));
  } finally {
    socket.destroy();
  }
}

/** What the server sends until it closes. Rejects when it does not within ten seconds. */
export async function readToEnd(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('latin1').on('data', (part) => {
    text += part;
  });
  await once(socket, 'end', { signal: AbortSignal.timeout(10_000) });
  return text;
}

export function parseAnswer(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: Object.fromEntries(
      lines.map((line) => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 1).trim(),
      ]),
    ),
    body: text.slice(end + 4),
    text,
  };
}
