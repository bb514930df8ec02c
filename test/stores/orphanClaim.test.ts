import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Connection, createConnection } from 'mongoose';
import { type Account, registerAccount } from '../../src/core/account/account.ts';
import { ORPHAN_CLAIM_AFTER } from '../../src/core/storage/collection.ts';
import { Unavailable } from '../../src/core/storage/unavailable.ts';
import { MongoCollection } from '../../src/stores/mongo/collection.ts';
import { mongoModels } from '../../src/stores/mongo/schemas.ts';
import { sampleAccount } from '../support/account.ts';
import { TestClock } from '../support/clock.ts';
import { freshServers, STORE_PAIRS } from '../support/stores.ts';

const available = STORE_PAIRS.every((pair) => pair.available);

/** What happens to a writer just before it sends its n-th write. */
type Interruption = (write: number) => unknown;

const WRITES: ReadonlySet<string | symbol> = new Set(['create', 'updateOne', 'deleteMany', 'findOneAndDelete']);

/** The same model, but for what happens before each write. */
function interrupted<M extends object>(model: M, before: () => Promise<void>): M {
  return new Proxy(model, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        const call = () => Reflect.apply(value, target, args);
        if (!WRITES.has(name)) return call();
        if (name === 'create') return before().then(call);
        const query: { exec(): Promise<unknown> } = call();
        const exec = query.exec.bind(query);
        return Object.assign(query, { exec: () => before().then(exec) });
      };
    },
  });
}

/** Only MongoDB writes a claim and its document in several steps, so only there a writer can die or wait in between. */
(available ? describe : describe.skip)('a claim on MongoDB', () => {
  const clock = new TestClock();
  let connection: Connection;
  let models: ReturnType<typeof mongoModels>;
  let accounts: MongoCollection<Account>;
  beforeAll(async () => {
    connection = await createConnection((await freshServers()).mongoUri, { sanitizeFilter: true }).asPromise();
    models = mongoModels(connection);
    accounts = new MongoCollection<Account>(models.accounts, models.claims, clock);
  });
  beforeEach(() => Promise.all([models.accounts.deleteMany({}), models.claims.deleteMany({})]));
  afterAll(async () => {
    await connection.dropDatabase();
    await connection.close();
  });

  /** Another writer on the same database. */
  function writer(interruption: Interruption): MongoCollection<Account> {
    let writes = 0;
    const before = async () => {
      writes += 1;
      await interruption(writes);
    };
    return new MongoCollection(interrupted(models.accounts, before), interrupted(models.claims, before), clock);
  }

  const dyingAt = (last: number) =>
    writer((write) => {
      if (write >= last) throw new Error('died');
    });

  const died = (outcome: Promise<unknown>) => expect(outcome).rejects.toThrow('died');

  const open = (id: string, ...claims: string[]) => accounts.insert(id, sampleAccount(id), claims);
  const holderOf = async (claim: string) => (await accounts.findByClaim(claim))?.id;
  const versionOf = async (id: string) => (await accounts.find(id))?.version;

  /** Of these claims the document holds those, now and later; the others are to be had, after a minute at the latest. */
  async function expectHeld(id: string, held: readonly string[], claims: readonly string[]): Promise<void> {
    for (const claim of claims)
      expect([claim, await holderOf(claim)]).toEqual([claim, held.includes(claim) ? id : undefined]);
    clock.advance(ORPHAN_CLAIM_AFTER);
    for (const claim of claims) {
      expect([claim, await open(`other-${claim}`, claim)]).toEqual([
        claim,
        held.includes(claim) ? 'claim-taken' : 'inserted',
      ]);
    }
  }

  test('whose document never came is held for a minute, then free for one of those who want it', async () => {
    await died(dyingAt(2).insert('never-came', sampleAccount('lost'), ['name:lost']));
    expect(await open('early', 'name:lost')).toBe('claim-taken');
    clock.advance(ORPHAN_CLAIM_AFTER + 1);
    const outcomes = await Promise.all(['a', 'b', 'c', 'd'].map((id) => open(id, 'name:lost')));
    expect(outcomes.filter((outcome) => outcome === 'inserted')).toHaveLength(1);
  });

  const change = { take: ['new', 'newer'], release: ['old'] };
  const claims = ['old', 'new', 'newer', 'kept'];

  describe.each([1, 2, 3, 4])('whose writer dies at write %i of a change', (last) => {
    const isWritten = last > 3;
    const held = isWritten ? ['new', 'newer', 'kept'] : ['old', 'kept'];
    beforeEach(async () => {
      await open('a', 'old', 'kept');
      await died(dyingAt(last).replaceWithClaims('a', 1, sampleAccount('a'), change));
    });

    test('is held as the document says, and locks nobody else out for longer than a minute', async () => {
      expect(await versionOf('a')).toBe(isWritten ? 2 : 1);
      await expectHeld('a', held, claims);
    });

    test('is there at once for the same change, tried again', async () => {
      const again = await accounts.replaceWithClaims('a', (await versionOf('a')) ?? 0, sampleAccount('a'), change);
      expect(again).toBe('replaced');
      await expectHeld('a', ['new', 'newer', 'kept'], claims);
    });
  });

  test('that cannot be released after its document was written is an orphan, and the change stands', async () => {
    await open('a', 'old', 'kept');
    const stepsDown = writer((write) => {
      if (write === 4) throw new Unavailable('mongodb', 'the primary stepped down');
    });
    expect(await stepsDown.replaceWithClaims('a', 1, sampleAccount('a'), change)).toBe('replaced');
    await expectHeld('a', ['new', 'newer', 'kept'], claims);
  });

  test('whose writer died over a registration: the same member is told to try again, not that the name is taken', async () => {
    const account = { ...sampleAccount('lost'), memberNumber: 'MHP-1' };
    const register = () => registerAccount(accounts, 'a', account, []);
    await died(registerAccount(dyingAt(3), 'a', account, []));
    await expect(register()).rejects.toThrow(Unavailable);
    clock.advance(ORPHAN_CLAIM_AFTER + 1);
    expect(await register()).toBe('opened');
  });

  test('that another document took over is gone for the change that is tried again after all', async () => {
    await open('a');
    await died(dyingAt(2).replaceWithClaims('a', 1, sampleAccount('a'), { take: ['new'] }));
    clock.advance(ORPHAN_CLAIM_AFTER);
    expect(await open('b', 'new')).toBe('inserted');
    expect(await accounts.replaceWithClaims('a', 1, sampleAccount('a'), { take: ['new'] })).toBe('claim-taken');
    expect(await holderOf('new')).toBe('b');
  });

  test.each([1, 2])('whose document dies at write %i of a removal', async (last) => {
    await open('a', 'old');
    await died(dyingAt(last).remove('a', 1));
    await expectHeld('a', last === 1 ? ['old'] : [], ['old']);
  });

  test('that is released late stays with the document that has taken it again', async () => {
    await open('a', 'old');
    const late = writer(async (write) => {
      if (write !== 2) return;
      expect(await accounts.replaceWithClaims('a', 2, sampleAccount('a'), { take: ['old'] })).toBe('replaced');
    });
    expect(await late.replaceWithClaims('a', 1, sampleAccount('a'), { release: ['old'] })).toBe('replaced');
    expect(await versionOf('a')).toBe(3);
    await expectHeld('a', ['old'], ['old']);
  });

  test('of two writers on one document stays whole when the first to take it is the last to write', async () => {
    await open('a');
    const take = { take: ['new'] };
    const slow = writer(async (write) => {
      if (write === 2) expect(await accounts.replaceWithClaims('a', 1, sampleAccount('a'), take)).toBe('replaced');
    });
    expect(await slow.replaceWithClaims('a', 1, sampleAccount('a'), take)).toBe('moved-on');
    await expectHeld('a', ['new'], ['new']);
  });

  test('that was left to be taken over is not, if its owner comes back at the last moment', async () => {
    await open('a');
    await died(dyingAt(2).replaceWithClaims('a', 1, sampleAccount('a'), { take: ['new'] }));
    clock.advance(ORPHAN_CLAIM_AFTER);
    const heir = writer(async (write) => {
      if (write !== 2) return;
      expect(await accounts.replaceWithClaims('a', 1, sampleAccount('a'), { take: ['new'] })).toBe('replaced');
    });
    expect(await heir.insert('b', sampleAccount('b'), ['new'])).toBe('claim-taken');
    await expectHeld('a', ['new'], ['new']);
  });

  test('of two inserts under one id is the first one’s, and stays whole', async () => {
    const first = writer(async (write) => {
      if (write === 2) expect(await open('a', 'new')).toBe('claim-taken');
    });
    expect(await first.insert('a', sampleAccount('a'), ['new'])).toBe('inserted');
    await expectHeld('a', ['new'], ['new']);
  });

  test('that an insert under a taken id gives back stays with the document that has taken it meanwhile', async () => {
    await open('a');
    const twin = writer(async (write) => {
      if (write !== 3) return;
      expect(await accounts.replaceWithClaims('a', 1, sampleAccount('a'), { take: ['new'] })).toBe('replaced');
    });
    expect(await twin.insert('a', sampleAccount('a'), ['new'])).toBe('id-taken');
    await expectHeld('a', ['new'], ['new']);
  });

  describe('of a document that was written before documents had lists', () => {
    beforeEach(async () => {
      await models.accounts.create({ _id: 'a', version: 1, value: sampleAccount('a') });
      await models.accounts.create({ _id: 'b', version: 1, value: sampleAccount('b') });
      const claim = (_id: string, owner: string) => ({ _id: `accounts/${_id}`, owner, at: clock.now() });
      await models.claims.create([claim('old', 'a'), claim('kept', 'a'), claim('foreign', 'b')]);
    });

    test('is held', () => expectHeld('a', ['old', 'kept'], ['old', 'kept']));

    test('is held on with what a change takes', async () => {
      expect(await accounts.replaceWithClaims('a', 1, sampleAccount('a'), change)).toBe('replaced');
      expect(await holderOf('foreign')).toBe('b');
      await expectHeld('a', ['new', 'newer', 'kept'], claims);
    });

    test('is not held if the change did not come', async () => {
      await died(dyingAt(3).replaceWithClaims('a', 1, sampleAccount('a'), change));
      await expectHeld('a', ['old', 'kept'], claims);
    });

    test('is free with its removal', async () => {
      expect(await accounts.remove('a', 1)).toBe(true);
      expect(await open('c', 'old', 'kept')).toBe('inserted');
      expect(await holderOf('foreign')).toBe('b');
    });
  });
});
