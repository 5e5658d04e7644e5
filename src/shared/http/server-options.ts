/** Options of the HTTP servers, the same for origin and cache. */
import type { ServerOptions } from 'node:http';

export const serverOptions: ServerOptions = {
  headersTimeout: 15_000,
  // None on a whole request: the idle time of a transfer is watched where its bytes flow.
  requestTimeout: 0,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: 16 * 1024,
  // Nothing is waited for where nothing can come: a tenth of what Node's server takes for a request. Who reads a body asks
  // `readableEnded` first, or reads it as a stream.
  optimizeEmptyRequests: true,
};
