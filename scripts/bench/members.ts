import { randomUUID } from 'node:crypto';
import { createConnection } from 'mongoose';
import { type Account, claimsOf } from '../../src/core/account/account.ts';
import type { ClaimDocument, Versioned } from '../../src/stores/mongo/schemas.ts';
import { memberName } from './clients.ts';

const AT_ONCE = 5_000;

/** Puts members into the database of a provider that has made the first by itself, each like that one, up to this many. */
export async function addMembers(mongoUri: string, members: number): Promise<void> {
  const connection = await createConnection(mongoUri).asPromise();
  const accounts = connection.collection<Versioned<Account>>('accounts');
  const claims = connection.collection<ClaimDocument>('claims');
  const first = await accounts.findOne({ 'value.username': memberName(0) });
  if (first === null) throw new Error('the first member is missing');
  for (let from = 1; from < members; from += AT_ONCE) {
    const made = Array.from({ length: Math.min(AT_ONCE, members - from) }, (_, i) => memberLike(first, from + i));
    await accounts.insertMany(made);
    await claims.insertMany(
      made.flatMap(({ _id: owner, claims: own = [] }) =>
        own.map((claim) => ({ _id: `accounts/${claim}`, owner, since: 1, at: Date.now() })),
      ),
    );
  }
  await connection.close();
}

function memberLike({ value }: Versioned<Account>, n: number): Versioned<Account> {
  const username = memberName(n);
  const account = { ...value, username, email: `${username}@example.com`, memberNumber: `BENCH-${n}` };
  return { _id: randomUUID(), version: 1, value: account, claims: claimsOf(account) };
}
