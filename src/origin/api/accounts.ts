/** `/api/v0/accounts`: users and organizations. */
import { Router } from 'express';
import type { Clock } from '../../shared/clock.ts';
import { DomainError } from '../../shared/errors.ts';
import { createAccount } from '../accounts/accounts.ts';
import type { Passwords } from '../accounts/passwords.ts';
import type { Database } from '../database.ts';
import { toAccount } from './account.ts';
import type { components } from './contract.d.ts';

export function createAccountRoutes(options: {
  database: Database;
  passwords: Passwords;
  clock: Clock;
}): Router {
  const { database, passwords, clock } = options;
  const routes = Router({ caseSensitive: true, strict: true });
  routes.post('/api/v0/accounts', async (request, response) => {
    const { password, ...body }: components['schemas']['CreateAccount'] = request.body;
    if (password === undefined && body.isOrg !== true) {
      throw new DomainError('input-invalid', 'password: required for a user', {
        detail: { field: 'password' },
      });
    }
    if (password !== undefined && body.isOrg === true) {
      throw new DomainError('input-invalid', 'password: an organization has none', {
        detail: { field: 'password' },
      });
    }
    const passwordHash = password === undefined ? null : await passwords.hash(password);
    const account = await createAccount(database.queries, { ...body, passwordHash }, clock());
    response.status(201).json(toAccount(account));
  });
  return routes;
}
