import { describe, expect, test } from '@jest/globals';
import { createConnection } from 'mongoose';
import type { Account } from '../../src/core/account/account.ts';
import { ORPHAN_CLAIM_AFTER } from '../../src/core/storage/collection.ts';
import { MongoCollection } from '../../src/stores/mongo/collection.ts';
import { mongoModels } from '../../src/stores/mongo/schemas.ts';
import { TestClock } from '../support/clock.ts';
import { freshServers, STORE_PAIRS } from '../support/stores.ts';

const available = STORE_PAIRS.every((pair) => pair.available);

/** Only MongoDB writes a claim and its document in two steps, so only there a writer can die in between. */
(available ? describe : describe.skip)('a claim on MongoDB whose writer died', () => {
  test('is held for a minute, then free for one of those who want it', async () => {
    const { mongoUri } = await freshServers();
    const connection = await createConnection(mongoUri).asPromise();
    const clock = new TestClock();
    const models = mongoModels(connection);
    const accounts = new MongoCollection<Account>(models.accounts, models.claims, clock);
    await models.claims.create({ _id: 'accounts/name:lost', owner: 'never-came', at: clock.now() });
    const newcomer = {
      username: 'lost',
      password: { phc: 'x', pepperId: '' },
      email: 'a@example.com',
      emailConfirmed: true,
    } as Account;
    const rest = {
      phone: '1',
      phoneConfirmed: true,
      memberNumber: '1',
      firstName: 'a',
      lastName: 'b',
      birthDate: '1',
      postalCode: '1',
      locale: 'en',
      deviceEpoch: 0,
      createdAt: 1,
      updatedAt: 1,
    };
    const open = (id: string) => accounts.insert(id, { ...newcomer, ...rest }, ['name:lost']);

    expect(await open('early')).toBe('claim-taken');
    clock.advance(ORPHAN_CLAIM_AFTER + 1);
    const outcomes = await Promise.all(['a', 'b', 'c', 'd'].map(open));
    expect(outcomes.filter((outcome) => outcome === 'inserted')).toHaveLength(1);

    await connection.dropDatabase();
    await connection.close();
  });
});
