import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { canonical } from '../../../src/core/audit/canonical.ts';
import { type AuditBatch, batchId, linked } from '../../../src/core/audit/chain.ts';
import type { AuditEvent } from '../../../src/core/audit/event.ts';
import { everyDocument } from '../../../src/core/storage/collection.ts';
import { timeOfId } from '../../../src/core/storage/newestFirst.ts';
import type { Stores } from '../../../src/core/storage/stores.ts';
import { auditOf } from '../../../src/parts.ts';
import { batchesOf, entry, recorded } from '../../support/audit.ts';
import { TestClock } from '../../support/clock.ts';
import { describeOnEveryStore } from '../../support/describeOn.ts';
import { SECRETS } from '../../support/provider.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const missing = (): never => {
  throw new Error('there is no such batch');
};

describeOnEveryStore('verifying the audit', (pair) => {
  let clock: TestClock;
  let stores: Stores;
  beforeEach(async () => {
    clock = new TestClock();
    stores = await pair.open(clock);
  });
  afterEach(() => stores.close());

  const start = (keys = SECRETS.keyEncryptionKeys) => auditOf({ keyEncryptionKeys: keys }, stores, clock);
  type Ours = ReturnType<typeof start>;

  /** One batch for each of these counts, a seal after each unless told. */
  async function write(audit: Ours, batches: readonly number[], seals = true) {
    for (const [i, count] of batches.entries()) {
      // The first of a round is written alone.
      await Promise.all(Array.from({ length: count }, (_, k) => audit.record(entry(`b${i}-${k}`))));
      clock.advance(MINUTE);
      if (seals) await audit.seal();
    }
  }

  /** Replaces a batch as somebody with the database would. */
  async function rewrite(index: number, to: (batch: AuditBatch) => Partial<AuditBatch>) {
    const { id, version, value } = (await batchesOf(stores))[index] ?? missing();
    expect(await stores.audit.replace(id, version, { ...value, ...to(value) })).toBe(true);
    return value;
  }

  const withAction = (line: string, action: string) => canonical({ ...JSON.parse(line), action });
  const rehashed = (line: string) => {
    const { hash: _, ...event } = JSON.parse(line);
    return canonical({ ...event, hash: createHash('sha256').update(canonical(event)).digest('hex') });
  };
  const nodeOf = async () => (await recorded(stores))[0]?.node;

  test('finds nothing where nothing was changed, and counts', async () => {
    const audit = start();
    expect(await audit.verify()).toMatchObject({ events: 0, chains: 0, seals: 0, faults: 0, first: undefined });
    await write(audit, [3, 5, 1]);
    await audit.record(entry('not sealed yet'));
    expect(await audit.verify()).toEqual({
      ...{ events: 10, chains: 1, seals: 3, faults: 0, first: undefined, otherKeys: [] },
      newest: { number: 3, digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
  });

  test('seals nothing twice, and is quick about what is old', async () => {
    const [a, b] = [start(), start()];
    await a.record(entry('a1'));
    await Promise.all([a.seal(), b.seal()]);
    await a.seal();
    clock.advance(MINUTE);
    await b.seal();
    expect((await a.verify()).seals).toBeLessThan(3);
  });

  test.each([0, 3])('names an event that was changed, sealed or not', async (event) => {
    const audit = start();
    await write(audit, [1, 5], event === 0);
    // The first batch of five holds one.
    await rewrite(2, ({ events }) => ({
      events: events.map((line, i) => (i === event ? withAction(line, 'closed') : line)),
    }));
    const { faults, first } = await audit.verify();
    expect([faults, first]).toEqual([
      1,
      { what: 'event', kind: 'changed', node: await nodeOf(), sequence: 3 + event, at: expect.any(Number) },
    ]);
  });

  test('names an event that was changed together with its digest', async () => {
    const audit = start();
    await write(audit, [1, 5, 1]);
    await rewrite(2, ({ events }) => ({ events: events.with(1, rehashed(withAction(String(events[1]), 'closed'))) }));
    expect((await audit.verify()).first).toMatchObject({ kind: 'changed', sequence: 4 });
  });

  test('names an event that was removed from a batch, and a batch that was removed', async () => {
    const audit = start();
    await write(audit, [1, 5, 1, 1]);
    await rewrite(2, ({ events }) => ({ events: events.toSpliced(1, 1) }));
    expect((await audit.verify()).first).toMatchObject({ kind: 'removed', sequence: 4 });
    const [, , third] = await batchesOf(stores);
    await stores.audit.remove(String(third?.id), 2);
    expect((await audit.verify()).first).toMatchObject({ kind: 'removed', sequence: 3, to: 6 });
  });

  test('names what was cut off at the beginning, at the end, and a whole chain that is gone', async () => {
    const audit = start();
    await write(audit, [1, 1, 1, 1]);
    const [first, , , last] = await batchesOf(stores);
    await stores.audit.remove(String(last?.id), 1);
    expect(await audit.verify()).toMatchObject({ faults: 1, first: { kind: 'removed', sequence: 4 } });
    await stores.audit.remove(String(first?.id), 1);
    expect(await audit.verify()).toMatchObject({ faults: 1, first: { kind: 'removed', sequence: 1 } });
    for (const { id } of await batchesOf(stores)) await stores.audit.remove(id, 1);
    expect(await audit.verify()).toMatchObject({ events: 0, faults: 1, first: { kind: 'removed', sequence: 1 } });
  });

  test('names events that changed places, in a batch and between two', async () => {
    const audit = start();
    await write(audit, [1, 5, 1, 1]);
    const { events } = await rewrite(2, (batch) => ({
      events: batch.events.with(1, String(batch.events[2])).with(2, String(batch.events[1])),
    }));
    expect((await audit.verify()).first).toMatchObject({ kind: 'reordered', sequence: 4 });
    await rewrite(2, () => ({ events }));
    expect((await audit.verify()).faults).toBe(0);
    const [, , , fourth, fifth] = await batchesOf(stores);
    await rewrite(3, () => fifth?.value ?? {});
    await rewrite(4, () => fourth?.value ?? {});
    expect((await audit.verify()).first).toMatchObject({ kind: 'reordered', sequence: 7 });
  });

  test('names an event that was put in between, and one that was put down again', async () => {
    const audit = start();
    await write(audit, [1, 5, 1]);
    await rewrite(2, ({ events }) => ({ events: events.toSpliced(2, 0, String(events[1])) }));
    expect((await audit.verify()).first).toMatchObject({ kind: 'inserted', sequence: 5 });
    const [first] = await batchesOf(stores);
    const again = batchId(timeOfId(String(first?.id)) + 30 * MINUTE, String(first?.value.node), 1);
    await stores.audit.insert(again, first?.value ?? missing());
    expect((await audit.verify()).faults).toBeGreaterThan(1);
  });

  test('finds a chain of somebody else, also when a seal was made since', async () => {
    const audit = start();
    await write(audit, [1]);
    const { lines } = linked({ node: 'forged', sequence: 0, hash: '0'.repeat(64) }, [
      { at: clock.now(), entry: entry('a1') },
    ]);
    const mac = String((await batchesOf(stores))[0]?.value.mac);
    await stores.audit.insert(batchId(clock.now(), 'forged', 1), { node: 'forged', first: 1, events: lines, mac });
    await write(audit, [1]);
    expect(await audit.verify()).toMatchObject({
      faults: 1,
      first: { kind: 'rewritten', node: 'forged', sequence: 1 },
    });
    const unknown = auditOf({ keyEncryptionKeys: ['another key'.repeat(5)] }, stores, clock);
    await unknown.record(entry('a1'));
    await write(audit, [1]);
    expect(await audit.verify()).toMatchObject({ faults: 2 });
  });

  test.each([true, false])('finds a chain that was made anew from an event on (sealed: %s)', async (sealed) => {
    const audit = start();
    await write(audit, [1, 1, 1, 1, 1], sealed);
    const batches = await batchesOf(stores);
    const events = await recorded(stores);
    let { hash } = events[1] as AuditEvent;
    for (const { id, value } of batches.slice(2)) {
      const line = rehashed(canonical({ ...JSON.parse(String(value.events[0])), previous: hash, reason: 'another' }));
      hash = JSON.parse(line).hash;
      await stores.audit.replace(id, 1, { ...value, events: [line] });
    }
    expect(await audit.verify()).toMatchObject({ faults: 3, first: { kind: 'rewritten', sequence: 3 } });
  });

  test('names a seal that was changed, removed or put in', async () => {
    const audit = start();
    await write(audit, [1, 1, 1, 1]);
    const seals = [];
    for await (const seal of everyDocument(stores.auditSeals)) seals.unshift(seal);
    const [first, second, third, fourth] = seals;
    if (!first || !second || !third || !fourth) throw new Error('there are four');
    await stores.auditSeals.replace(second.id, 1, {
      ...second.value,
      body: second.value.body.replace('"number":2', '"number":2,"x":1'),
    });
    expect(await audit.verify()).toMatchObject({ first: { what: 'seal', kind: 'changed', sequence: 2 } });
    await stores.auditSeals.remove(second.id, 2);
    expect(await audit.verify()).toMatchObject({ first: { what: 'seal', kind: 'removed', sequence: 2 } });
    await stores.auditSeals.insert(second.id, second.value);
    expect((await audit.verify()).faults).toBe(0);
    await stores.auditSeals.remove(first.id, 1);
    expect(await audit.verify()).toMatchObject({ first: { what: 'seal', kind: 'removed', sequence: 1 } });
    await stores.auditSeals.insert(first.id, first.value);
    await stores.auditSeals.replace(fourth.id, 1, third.value);
    expect(await audit.verify()).toMatchObject({ first: { what: 'seal', sequence: 4 } });
  });

  test('goes on under a new key, and needs the old one no longer once the new one has sealed', async () => {
    const [old, young] = ['o'.repeat(40), 'y'.repeat(40)];
    await write(start([old]), [1, 2]);
    await start([old]).record(entry('of the old key, not sealed'));
    const tooEarly = await start([young]).verify();
    expect(tooEarly).toMatchObject({ first: { kind: 'unproven' } });
    const both = start([young, old]);
    expect((await both.verify()).faults).toBe(0);
    await write(both, [2]);
    await write(start([young]), [1]);
    const verdict = await start([young]).verify();
    expect(verdict).toMatchObject({ events: 7, faults: 0, otherKeys: [{ seals: 2, newest: 2 }] });
    await rewrite(0, ({ events }) => ({ events: [rehashed(withAction(String(events[0]), 'closed'))] }));
    expect((await start([young]).verify()).first).toMatchObject({ sequence: 1 });
    expect((await start(['z'.repeat(40)]).verify()).faults).toBeGreaterThan(0);
  });

  test('can prove what stays when what is old was removed, to its last event', async () => {
    const audit = start();
    const forgotten: string[] = [];
    const removeOld = (before: number) =>
      audit.removeOld(async (id) => {
        forgotten.push(id);
      }, before);
    await write(audit, [2, 3]);
    clock.advance(DAY / 2);
    await write(audit, [1, 1]);
    await write(start(), [1]);
    expect(await removeOld(clock.now() - DAY / 4)).toBe(5);
    expect(forgotten.toSorted()).toEqual(['b0-0', 'b0-1', 'b1-0', 'b1-1', 'b1-2']);
    expect(await audit.verify()).toMatchObject({ events: 3, chains: 2, faults: 0 });
    expect((await recorded(stores)).map(({ sequence }) => sequence)).toEqual([6, 7, 1]);
    expect(await removeOld(clock.now() - DAY / 4)).toBe(0);
    const { events } = await audit.history.find({ subject: 'b1-2' }, { limit: 9 });
    expect(events).toEqual([]);

    const [sixth] = await batchesOf(stores);
    await stores.audit.remove(String(sixth?.id), 1);
    expect(await audit.verify()).toMatchObject({ first: { kind: 'removed', sequence: 6 } });
    await stores.audit.insert(String(sixth?.id), sixth?.value ?? missing());
    await rewrite(0, ({ events: [line] }) => ({
      events: [rehashed(canonical({ ...JSON.parse(String(line)), previous: 'x' }))],
    }));
    expect((await audit.verify()).first).toMatchObject({ sequence: 6 });
    await rewrite(0, () => sixth?.value ?? {});

    clock.advance(DAY);
    expect(await removeOld(clock.now() - MINUTE)).toBe(3);
    expect(await audit.verify()).toMatchObject({ events: 0, faults: 0 });
    clock.advance(DAY);
    await write(audit, [1]);
    await removeOld(clock.now() - DAY);
    expect(await audit.verify()).toMatchObject({ events: 1, faults: 0 });
  });

  test('can also when who removes dies over it', async () => {
    const audit = start();
    await write(audit, [1, 1, 1]);
    clock.advance(DAY / 2);
    await write(audit, [1]);
    let told = 0;
    const dying = () => (++told > 1 ? Promise.reject(new Error('dead')) : Promise.resolve());
    await expect(audit.removeOld(dying, clock.now() - DAY / 4)).rejects.toThrow('dead');
    expect(await audit.verify()).toMatchObject({ events: 3, faults: 0 });
    expect(await audit.removeOld(async () => undefined, clock.now() - DAY / 4)).toBe(2);
    expect(await audit.verify()).toMatchObject({ events: 1, faults: 0 });
  });
});
