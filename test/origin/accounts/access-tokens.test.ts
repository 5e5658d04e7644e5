import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import {
  changeAccessToken,
  countAccessTokens,
  createAccessToken,
  findLiveAccessToken,
  listAccessTokens,
  removeAccessTokens,
} from '../../../src/origin/accounts/access-tokens.ts';
import { createAccount } from '../../../src/origin/accounts/accounts.ts';
import { openDatabase } from '../../../src/origin/database.ts';
import { assertIndexed } from '../../setup/query-plan.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';

const database = await openDatabase(await tempDirectory());
after(() => database.close());
const { queries } = database;
const jane = await createAccount(queries, { name: 'jane', passwordHash: null }, 0);
const create = (label: string, now: number) =>
  database.transaction((tx) =>
    createAccessToken(
      tx,
      jane,
      { label, access: 'read-only', expiresAt: undefined, generatedBy: 'jane', creatorUserAgent: '' },
      now,
    ),
  );

it('access tokens made in the same millisecond come in pages, too, each of them once', async () => {
  for (const label of ['a', 'b', 'c', 'd', 'e']) await create(label, label === 'e' ? 2 : 1);
  const labels: string[] = [];
  let start: string | undefined;
  do {
    const { records, next } = await listAccessTokens(queries, jane.id, { start, size: 2 });
    labels.push(...records.map(({ label }) => label));
    start = next;
  } while (start !== undefined);
  assert.equal(labels[0], 'e');
  assert.deepEqual(labels.sort(), ['a', 'b', 'c', 'd', 'e']);
});

it('access tokens are read, changed and removed by index', async () => {
  const { token, accessToken } = await create('f', 3);
  const { hash } = accessToken;
  await assertIndexed(queries, () => findLiveAccessToken(queries, token, 3));
  await assertIndexed(queries, () => listAccessTokens(queries, jane.id, { start: hash, size: 10 }));
  await assertIndexed(queries, () => countAccessTokens(queries, jane.id));
  const tokens = (work: Parameters<typeof database.transaction>[0]) => () => database.transaction(work);
  await assertIndexed(
    queries,
    tokens((tx) => changeAccessToken(tx, hash, { isActive: false })),
  );
  await assertIndexed(
    queries,
    tokens((tx) => removeAccessTokens(tx, jane.id, { hash })),
  );
  await assertIndexed(
    queries,
    tokens((tx) => removeAccessTokens(tx, jane.id, { usedBefore: 9 })),
  );
});
