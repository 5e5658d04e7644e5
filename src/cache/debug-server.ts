/** What the operator alone may see, at `http.debug.addr`: metrics and health. Never on the public port. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { serverOptions } from '../shared/http/server-options.ts';
import type { Health } from './health.ts';
import type { CacheMetrics } from './metrics.ts';

/** `metricsPath` is `undefined` when there are to be none. */
export function createDebugServer(parts: {
  metrics: CacheMetrics;
  health: Health;
  metricsPath: string | undefined;
}): Server {
  const { metrics, health, metricsPath } = parts;
  const listener: RequestListener = async (request, response) => {
    const path = (request.url ?? '').split('?')[0];
    if (path === metricsPath) {
      const { text, contentType } = await metrics.render();
      response.writeHead(200, { 'Content-Type': contentType }).end(text);
    } else if (path === '/debug/health') {
      const problems = health.problems();
      const status = Object.keys(problems).length === 0 ? 200 : 503;
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(problems));
    } else {
      response.writeHead(404).end();
    }
  };
  return createServer(serverOptions, listener);
}
