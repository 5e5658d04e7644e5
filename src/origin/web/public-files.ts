/** What anybody may fetch: the CA, the public keys, and whether the origin lives. */
import express from 'express';
import { protocolHeader, protocolVersion } from '../../shared/protocol.ts';
import type { Database } from '../database.ts';
import type { PublicKeySet } from '../keys/signing-keys.ts';

export function createPublicFiles(options: {
  ca: string | undefined;
  keySet: () => PublicKeySet;
  database: Database;
}): express.Router {
  const router = express.Router({ caseSensitive: true, strict: true });
  router.get('/ca', (_request, response) => {
    if (options.ca === undefined) {
      response.status(404).type('text/plain').send('This server was given a certificate, but not its CA.\n');
      return;
    }
    response.type('application/x-pem-file').send(`${options.ca.trim()}\n`);
  });
  router.get('/.well-known/jwks.json', (_request, response) => {
    response.setHeader('Cache-Control', 'max-age=60');
    response.setHeader(protocolHeader, protocolVersion);
    response.json(options.keySet());
  });
  router.get(['/_ping', '/health'], async (_request, response) => {
    response.setHeader('Cache-Control', 'no-store');
    try {
      await options.database.queries.raw('select 1');
      response.json({ Error: '', Healthy: true });
    } catch {
      response.status(503).json({ Error: 'metadata: the database does not answer', Healthy: false });
    }
  });
  return router;
}
