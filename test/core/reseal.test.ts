import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { makeSeal } from '../../src/adapters/seal.ts';
import type { Account } from '../../src/core/account/account.ts';
import { resealSeeds } from '../../src/core/factors/reseal.ts';
import { seedPurpose } from '../../src/core/factors/totp.ts';
import { type Collection, change } from '../../src/core/storage/collection.ts';
import type { Stores } from '../../src/core/storage/stores.ts';
import { signingKeys } from '../../src/oidc/jwks.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';

const [OLD, NEW, FOREIGN] = ['o'.repeat(43), 'n'.repeat(43), 'f'.repeat(43)];
const before = makeSeal([OLD]);
const between = makeSeal([NEW, OLD]);
const after = makeSeal([NEW]);

describe('a seal', () => {
  test('tells which of its keys opens a value, for the purpose that it was sealed for', () => {
    const [old, current] = [before.seal('a seed', 'x'), between.seal('a seed', 'x')];
    expect([between.keyOf(old, 'x'), between.keyOf(current, 'x'), between.keyOf(old, 'y')]).toEqual([
      ...['older', 'current', 'none'],
    ]);
    expect([after.keyOf(old, 'x'), after.keyOf('', 'x'), after.keyOf('v1.a.b.c', 'x')]).toEqual([
      'none',
      'none',
      'none',
    ]);
  });
});

describeOnEveryStore('resealing', (pair) => {
  let stores: Stores;
  const clock = new TestClock();
  beforeEach(async () => {
    stores = await pair.open(clock);
  });
  afterEach(() => stores.close());

  const open = async (id: string, secret?: string) => {
    const sealed = secret === undefined ? undefined : makeSeal([secret]).seal(`seed of ${id}`, seedPurpose(id));
    const account: Account = {
      ...{ username: id, password: { phc: 'x', pepperId: '' }, emailConfirmed: false, phoneConfirmed: false },
      ...{ memberNumber: id, firstName: 'Sample', lastName: 'Member', birthDate: '1951-03-14', postalCode: '97201' },
      ...{ locale: 'en', deviceEpoch: 0, createdAt: 1, updatedAt: 1 },
      ...(sealed === undefined ? {} : { factors: { totp: { sealed, lastStep: 0, drift: 0, addedAt: 1 } } }),
    };
    await stores.accounts.insert(id, account);
  };
  const totpOf = async (id: string) => (await stores.accounts.find(id))?.value.factors?.totp;
  const unreadable: string[] = [];
  const run = (more: { dryRun?: boolean; accounts?: Collection<Account> } = {}) =>
    resealSeeds({
      ...{ accounts: stores.accounts, seal: between, dryRun: false, ...more },
      onUnreadable: (id) => void unreadable.push(id),
    });

  test('seals each seed once, and leaves alone what the new key sealed and what no key opens', async () => {
    unreadable.length = 0;
    for (const [id, secret] of [['a', OLD], ['b', NEW], ['c', FOREIGN], ['d'], ['e', OLD]] as const)
      await open(id, secret);
    const held = await Promise.all(['b', 'c', 'd'].map((id) => stores.accounts.find(id)));
    expect(await run({ dryRun: true })).toBe(2);
    expect(between.keyOf(String((await totpOf('a'))?.sealed), seedPurpose('a'))).toBe('older');
    expect(await run()).toBe(2);
    expect(await run()).toBe(0);
    expect(unreadable).toEqual(['c', 'c', 'c']);
    for (const id of ['a', 'b', 'e'])
      expect(after.open(String((await totpOf(id))?.sealed), seedPurpose(id))).toBe(`seed of ${id}`);
    expect(await Promise.all(['b', 'c', 'd'].map((id) => stores.accounts.find(id)))).toEqual(held);
  });

  test('takes nothing back of what is done to an account at the same time', async () => {
    const ids = Array.from({ length: 20 }, (_, i) => `member-${i}`);
    for (const id of ids) await open(id, OLD);
    const codes = ids.map((id) =>
      change(stores.accounts, id, ({ factors, ...rest }) => {
        const totp = factors?.totp;
        return totp && { ...rest, factors: { ...factors, totp: { ...totp, lastStep: 7 } } };
      }),
    );
    await Promise.all([run(), run(), ...codes]);
    for (const id of ids) {
      const totp = await totpOf(id);
      expect([after.open(String(totp?.sealed), seedPurpose(id)), totp?.lastStep]).toEqual([`seed of ${id}`, 7]);
    }
  });

  test('that was interrupted goes on where it was', async () => {
    const ids = Array.from({ length: 5 }, (_, i) => `member-${i}`);
    for (const id of ids) await open(id, OLD);
    let left = 2;
    const dying: Collection<Account> = {
      ...bound(stores.accounts),
      async replace(id, version, value) {
        if (left === 0) throw new Error('killed');
        left -= 1;
        return stores.accounts.replace(id, version, value);
      },
    };
    await expect(run({ accounts: dying })).rejects.toThrow('killed');
    expect(await run()).toBe(3);
  });

  test('keeps the signing keys and the subjects of apps as they are', async () => {
    const process = (seal: typeof before) =>
      signingKeys({
        ...{ keyRings: stores.keyRings, seal, clock, rotateEvery: 0 },
        timing: { ahead: 1, longestUse: 1 },
      });
    const made = await process(before).load();
    await expect(process(after).load()).rejects.toThrow('no key opens');
    expect(await process(between).reseal(true)).toBe(3);
    await expect(process(after).load()).rejects.toThrow('no key opens');
    // Beside a rotation.
    const [counted] = await Promise.all([process(between).reseal(false), process(between).rotate()]);
    expect(counted).toBe(3);
    expect(await process(between).reseal(false)).toBe(0);
    const now = await process(after).load();
    expect(now.salt).toBe(made.salt);
    expect(now.jwks).toEqual(expect.arrayContaining([...made.jwks]));
  });
});

/** Its methods, to be overlaid. */
const bound = <T extends object>(collection: Collection<T>): Collection<T> => ({
  find: (id) => collection.find(id),
  findByClaim: (claim) => collection.findByClaim(claim),
  findMany: (ids) => collection.findMany(ids),
  insert: (id, value, claims) => collection.insert(id, value, claims),
  insertMany: (documents) => collection.insertMany(documents),
  replace: (id, version, value) => collection.replace(id, version, value),
  replaceWithClaims: (id, version, value, claims) => collection.replaceWithClaims(id, version, value, claims),
  remove: (id, version) => collection.remove(id, version),
  all: (afterId, limit) => collection.all(afterId, limit),
});
