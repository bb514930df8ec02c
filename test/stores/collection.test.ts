import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ClientMetadata, ClientRecord } from '../../src/core/client/client.ts';
import { change, everyDocument, ORPHAN_CLAIM_AFTER, upsert } from '../../src/core/storage/collection.ts';
import type { Stores } from '../../src/core/storage/stores.ts';
import { sampleAccount as account } from '../support/account.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';

const client = (metadata: ClientMetadata): ClientRecord => ({
  ...{ metadata, secrets: [], disabled: false, createdAt: 1, updatedAt: 1 },
});

describeOnEveryStore('a collection', (pair) => {
  const clock = new TestClock();
  let stores: Stores;
  beforeEach(async () => {
    stores = await pair.open(clock);
  });
  afterEach(() => stores.close());

  test('gives back what was put in, at version 1', async () => {
    expect(await stores.accounts.insert('a1', account('one'), ['name:one'])).toBe('inserted');
    expect(await stores.accounts.find('a1')).toEqual({ id: 'a1', version: 1, value: account('one') });
    expect(await stores.accounts.findByClaim('name:one')).toEqual({ id: 'a1', version: 1, value: account('one') });
  });

  test('knows nothing of what was never put in', async () => {
    expect(await stores.accounts.find('nobody')).toBeUndefined();
    expect(await stores.accounts.findByClaim('name:nobody')).toBeUndefined();
    expect(await stores.accounts.replace('nobody', 1, account('one'))).toBe(false);
  });

  test('refuses an id that is taken and keeps the first', async () => {
    await stores.accounts.insert('a1', account('one'));
    expect(await stores.accounts.insert('a1', account('two'), ['name:two'])).toBe('id-taken');
    expect((await stores.accounts.find('a1'))?.value.username).toBe('one');
    expect(await stores.accounts.findByClaim('name:two')).toBeUndefined();
    expect(await stores.accounts.insert('a2', account('two'), ['name:two'])).toBe('inserted');
  });

  test('refuses a claim that is held, and then takes none of the others either', async () => {
    await stores.accounts.insert('a1', account('one'), ['name:one']);
    expect(await stores.accounts.insert('a2', account('two'), ['name:free', 'name:one'])).toBe('claim-taken');
    expect(await stores.accounts.find('a2')).toBeUndefined();
    expect(await stores.accounts.insert('a3', account('three'), ['name:free'])).toBe('inserted');
  });

  test('lets one of fifty parallel claims win', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, i) => stores.accounts.insert(`p${i}`, account(`p${i}`), ['name:same'])),
    );
    expect(outcomes.filter((outcome) => outcome === 'inserted')).toHaveLength(1);
    expect(await stores.accounts.findByClaim('name:same')).toBeDefined();
  });

  test('replaces at the version that was read, once', async () => {
    await stores.accounts.insert('a1', account('one'));
    const races = await Promise.all(
      Array.from({ length: 20 }, (_, i) => stores.accounts.replace('a1', 1, account(`racer${i}`))),
    );
    expect(races.filter(Boolean)).toHaveLength(1);
    expect((await stores.accounts.find('a1'))?.version).toBe(2);
    expect(await stores.accounts.replace('a1', 1, account('late'))).toBe(false);
  });

  test('keeps collections apart', async () => {
    await stores.clients.insert('same', client({ client_id: 'same', redirect_uris: [] }), ['x']);
    expect(await stores.accounts.find('same')).toBeUndefined();
    expect(await stores.accounts.findByClaim('x')).toBeUndefined();
  });

  test('keeps odd text as it is', async () => {
    const odd = {
      ...account('odd'),
      firstName: '$ne',
      lastName: '\u0000 "quoted" \u{1F600} ñ \'; DROP TABLE',
      locale: '__proto__',
    };
    await stores.accounts.insert('odd', odd, ['name:$where', 'name:a.b/c']);
    expect((await stores.accounts.findByClaim('name:a.b/c'))?.value).toEqual(odd);
  });

  test('keeps metadata with names of any shape', async () => {
    const metadata = { client_id: 'c', redirect_uris: ['https://a.example/cb'], 'a.b': { $set: [1, { deep: true }] } };
    const record = {
      ...client(metadata),
      secrets: [
        { digest: 'd1', createdAt: 1, expiresAt: 2 },
        { digest: 'd2', createdAt: 1 },
      ],
    };
    await stores.clients.insert('c', record);
    expect((await stores.clients.find('c'))?.value).toEqual(record);
  });

  test('upsert writes whether or not something stands there, also in parallel', async () => {
    const record = (name: string) => client({ client_id: 'u', redirect_uris: [], client_name: name });
    await Promise.all([upsert(stores.clients, 'u', record('a')), upsert(stores.clients, 'u', record('b'))]);
    await upsert(stores.clients, 'u', record('last'));
    expect((await stores.clients.find('u'))?.value.metadata.client_name).toBe('last');
  });

  test('lists its documents page by page in the order of their ids, and no others', async () => {
    const ids = ['Z', 'a', 'b', 'b!', 'é', '\u{1F600}'];
    for (const id of [...ids].reverse()) await stores.accounts.insert(id, account(id));
    await stores.clients.insert('bb', client({ client_id: 'bb', redirect_uris: [] }));
    const page = async (after: string, limit: number) => (await stores.accounts.all(after, limit)).map(({ id }) => id);
    expect(await page('', 100)).toEqual(ids);
    expect(await page('', 2)).toEqual(['Z', 'a']);
    expect(await page('a', 2)).toEqual(['b', 'b!']);
    expect(await page('aa', 1)).toEqual(['b']);
    expect(await page('\u{1F600}', 2)).toEqual([]);
    expect((await stores.accounts.all('Z', 1))[0]).toEqual({ id: 'a', version: 1, value: account('a') });
    const seen: string[] = [];
    for await (const { id } of everyDocument(stores.accounts, 4)) seen.push(id);
    expect(seen).toEqual(ids);
  });

  test('finds those of many ids that there are', async () => {
    for (const id of ['a', 'b', 'c']) await stores.accounts.insert(id, account(id));
    await stores.clients.insert('d', client({ client_id: 'd', redirect_uris: [] }));
    const found = await stores.accounts.findMany(['c', 'nobody', 'a', 'd', 'a']);
    expect(found.toSorted((x, y) => x.id.localeCompare(y.id))).toEqual([
      { id: 'a', version: 1, value: account('a') },
      { id: 'c', version: 1, value: account('c') },
    ]);
    expect(await stores.accounts.findMany([])).toEqual([]);
  });

  test('stores many at once, and tells which ids were taken', async () => {
    const many = (...ids: string[]) => ids.map((id) => ({ id, value: account(id) }));
    await stores.accounts.insert('b', account('first'), ['name:first']);
    expect((await stores.accounts.insertMany(many('a', 'b', 'c', 'a'))).toSorted()).toEqual(['a', 'b']);
    expect(await stores.accounts.find('a')).toEqual({ id: 'a', version: 1, value: account('a') });
    expect((await stores.accounts.find('b'))?.value.username).toBe('first');
    expect(await stores.accounts.find('c')).toBeDefined();
    expect(await stores.accounts.insertMany([])).toEqual([]);
  });

  test('stores and finds a thousand in one go', async () => {
    const ids = Array.from({ length: 1_000 }, (_, i) => `m${i}`);
    expect(await stores.accounts.insertMany(ids.map((id) => ({ id, value: account(id) })))).toEqual([]);
    expect(await stores.accounts.findMany(ids)).toHaveLength(1_000);
    expect(await stores.accounts.insertMany(ids.map((id) => ({ id, value: account(id) })))).toHaveLength(1_000);
  });

  test('of parallel writers of many each id has one', async () => {
    const ids = Array.from({ length: 20 }, (_, i) => `p${i}`);
    const writers = await Promise.all(
      Array.from({ length: 4 }, (_, i) =>
        stores.accounts.insertMany(ids.map((id) => ({ id, value: account(`writer${i}`) }))),
      ),
    );
    expect(writers.flat()).toHaveLength(3 * ids.length);
  });

  test('change looks again where another writer was faster, and loses no change', async () => {
    await stores.accounts.insert('a1', account('one'));
    const grow = () => change(stores.accounts, 'a1', (value) => ({ ...value, deviceEpoch: value.deviceEpoch + 1 }));
    await Promise.all([grow(), grow(), grow(), grow()]);
    expect((await stores.accounts.find('a1'))?.value.deviceEpoch).toBe(4);
    expect((await change(stores.accounts, 'a1', () => undefined))?.deviceEpoch).toBe(4);
    expect(await change(stores.accounts, 'nobody', (value) => value)).toBeUndefined();
  });

  test('a claim of a document that came stays held however old it is', async () => {
    await stores.accounts.insert('a1', account('one'), ['name:one']);
    clock.advance(10 * ORPHAN_CLAIM_AFTER);
    expect(await stores.accounts.insert('a2', account('two'), ['name:one'])).toBe('claim-taken');
  });

  test('replaces together with its claims: what it gave up is free at once', async () => {
    await stores.accounts.insert('a1', account('one'), ['name:one', 'member:1']);
    const change = { take: ['name:uno', 'name:eins'], release: ['name:one'] };
    expect(await stores.accounts.replaceWithClaims('a1', 1, account('uno'), change)).toBe('replaced');
    const changed = { id: 'a1', version: 2, value: account('uno') };
    for (const claim of ['name:uno', 'name:eins', 'member:1']) {
      expect(await stores.accounts.findByClaim(claim)).toEqual(changed);
      expect(await stores.accounts.insert('a2', account('two'), [claim])).toBe('claim-taken');
    }
    expect(await stores.accounts.findByClaim('name:one')).toBeUndefined();
    expect(await stores.accounts.insert('a2', account('two'), ['name:one'])).toBe('inserted');
  });

  test('a plain replacement leaves its claims as they are', async () => {
    await stores.accounts.insert('a1', account('one'), ['name:one']);
    await stores.accounts.replace('a1', 1, account('uno'));
    expect((await stores.accounts.findByClaim('name:one'))?.version).toBe(2);
  });

  test('a claim that another document holds stops the change, which takes nothing for longer than an orphan lives', async () => {
    await stores.accounts.insert('a1', account('one'), ['name:one']);
    await stores.accounts.insert('a2', account('two'), ['name:two']);
    const change = { take: ['name:free', 'name:two'], release: ['name:one'] };
    expect(await stores.accounts.replaceWithClaims('a1', 1, account('uno'), change)).toBe('claim-taken');
    expect(await stores.accounts.find('a1')).toEqual({ id: 'a1', version: 1, value: account('one') });
    expect((await stores.accounts.findByClaim('name:one'))?.id).toBe('a1');
    expect((await stores.accounts.findByClaim('name:two'))?.id).toBe('a2');
    expect(await stores.accounts.findByClaim('name:free')).toBeUndefined();
    clock.advance(ORPHAN_CLAIM_AFTER);
    expect(await stores.accounts.insert('a3', account('three'), ['name:free'])).toBe('inserted');
  });

  test('changes no claims of a document that has moved on or is gone', async () => {
    await stores.accounts.insert('a1', account('one'), ['name:one']);
    const change = { take: ['name:uno'], release: ['name:one'] };
    expect(await stores.accounts.replaceWithClaims('a1', 2, account('uno'), change)).toBe('moved-on');
    expect(await stores.accounts.replaceWithClaims('nobody', 1, account('uno'), change)).toBe('moved-on');
    expect((await stores.accounts.findByClaim('name:one'))?.version).toBe(1);
    expect(await stores.accounts.insert('a2', account('two'), ['name:uno'])).toBe('inserted');
  });

  test('may take what it holds and release what it does not, which stays with who holds it', async () => {
    await stores.accounts.insert('a1', account('one'), ['name:one']);
    await stores.accounts.insert('a2', account('two'), ['name:two']);
    const change = { take: ['name:one'], release: ['name:one', 'name:two', 'name:nobody'] };
    expect(await stores.accounts.replaceWithClaims('a1', 1, account('uno'), change)).toBe('replaced');
    expect(await stores.accounts.replaceWithClaims('a1', 2, account('uno'), {})).toBe('replaced');
    expect((await stores.accounts.findByClaim('name:one'))?.id).toBe('a1');
    expect((await stores.accounts.findByClaim('name:two'))?.id).toBe('a2');
  });

  test('of twenty writers who take one claim for one document one wins, and the claim stays whole', async () => {
    await stores.accounts.insert('a1', account('one'));
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        stores.accounts.replaceWithClaims('a1', 1, account(`racer${i}`), { take: ['name:same'] }),
      ),
    );
    expect(outcomes.toSorted()).toEqual([...Array.from({ length: 19 }, () => 'moved-on'), 'replaced']);
    expect((await stores.accounts.findByClaim('name:same'))?.version).toBe(2);
    clock.advance(10 * ORPHAN_CLAIM_AFTER);
    expect(await stores.accounts.insert('a2', account('two'), ['name:same'])).toBe('claim-taken');
  });

  test('of twenty documents that want one claim at the same instant one gets it', async () => {
    const ids = Array.from({ length: 20 }, (_, i) => `p${i}`);
    for (const id of ids) await stores.accounts.insert(id, account(id));
    const want = (id: string) => stores.accounts.replaceWithClaims(id, 1, account(id), { take: ['name:same'] });
    const outcomes = await Promise.all(ids.map(want));
    expect(outcomes.toSorted()).toEqual([...Array.from({ length: 19 }, () => 'claim-taken'), 'replaced']);
    expect((await stores.accounts.findByClaim('name:same'))?.id).toBe(ids[outcomes.indexOf('replaced')]);
  });

  test.each([20, 21])(
    'a claim that is taken and released in turns, %i times at once, is held in the end as the document says',
    async (turns) => {
      await stores.accounts.insert('a1', account('one'));
      const turn = async (): Promise<void> => {
        const { version, value } = (await stores.accounts.find('a1')) ?? { version: 0, value: account('nobody') };
        const change = value.deviceEpoch % 2 === 0 ? { take: ['name:same'] } : { release: ['name:same'] };
        const next = { ...value, deviceEpoch: value.deviceEpoch + 1 };
        if ((await stores.accounts.replaceWithClaims('a1', version, next, change)) !== 'replaced') await turn();
      };
      await Promise.all(Array.from({ length: turns }, turn));
      const isHeld = turns % 2 === 1;
      expect((await stores.accounts.findByClaim('name:same'))?.id).toBe(isHeld ? 'a1' : undefined);
      clock.advance(ORPHAN_CLAIM_AFTER);
      expect(await stores.accounts.insert('a2', account('two'), ['name:same'])).toBe(
        isHeld ? 'claim-taken' : 'inserted',
      );
    },
  );

  test('removes a document at the version that was read, and its claims are free', async () => {
    await stores.accounts.insert('a1', account('one'), ['name:one', 'member:1']);
    await stores.accounts.replaceWithClaims('a1', 1, account('uno'), { take: ['name:uno'] });
    expect(await stores.accounts.remove('a1', 1)).toBe(false);
    expect(await stores.accounts.remove('nobody', 1)).toBe(false);
    expect((await stores.accounts.findByClaim('name:uno'))?.id).toBe('a1');
    expect(await stores.accounts.remove('a1', 2)).toBe(true);
    expect(await stores.accounts.remove('a1', 2)).toBe(false);
    expect(await stores.accounts.find('a1')).toBeUndefined();
    expect(await stores.accounts.findByClaim('name:one')).toBeUndefined();
    expect(await stores.accounts.insert('a2', account('two'), ['name:one', 'name:uno'])).toBe('inserted');
    expect(await stores.accounts.insert('a1', account('one'), ['member:1'])).toBe('inserted');
  });

  test('of a removal and a change at the same instant one wins', async () => {
    await stores.accounts.insert('a1', account('one'), ['name:one']);
    const change = () => stores.accounts.replaceWithClaims('a1', 1, account('uno'), { take: ['name:uno'] });
    const [removed, replaced] = await Promise.all([stores.accounts.remove('a1', 1), change()]);
    expect(replaced).toBe(removed ? 'moved-on' : 'replaced');
    for (const claim of ['name:one', 'name:uno']) {
      expect((await stores.accounts.findByClaim(claim))?.id).toBe(removed ? undefined : 'a1');
    }
  });
});
