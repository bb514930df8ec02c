import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { AuditBatch } from '../../../src/core/audit/chain.ts';
import type { Collection } from '../../../src/core/storage/collection.ts';
import type { Stores } from '../../../src/core/storage/stores.ts';
import { Unavailable } from '../../../src/core/storage/unavailable.ts';
import { auditOf } from '../../../src/parts.ts';
import { batchesOf, entry, recorded } from '../../support/audit.ts';
import { TestClock } from '../../support/clock.ts';
import { describeOnEveryStore } from '../../support/describeOn.ts';
import { SECRETS } from '../../support/provider.ts';

const MINUTE = 60_000;

describeOnEveryStore('what is put on record', (pair) => {
  let clock: TestClock;
  let stores: Stores;
  beforeEach(async () => {
    clock = new TestClock();
    stores = await pair.open(clock);
  });
  afterEach(() => stores.close());

  const start = (over: Partial<Stores> = {}) => auditOf(SECRETS, { ...stores, ...over }, clock);

  /** The store, but for what is done to it when a batch is inserted. */
  const whenInserting = (insert: (real: () => Promise<unknown>) => Promise<unknown>) => {
    const audit: Collection<AuditBatch> = Object.create(stores.audit, {
      ...Object.fromEntries(
        (['find', 'all', 'findMany', 'remove'] as const).map((name) => [
          name,
          { value: (...args: never[]) => Reflect.apply(stores.audit[name], stores.audit, args) },
        ]),
      ),
      insert: {
        value: (...args: Parameters<typeof stores.audit.insert>) => insert(() => stores.audit.insert(...args)),
      },
    });
    return { audit };
  };
  const dead = () => Promise.reject(new Unavailable('test', undefined));

  test('says when, who, what, to whom, where and with what outcome', async () => {
    const audit = auditOf(SECRETS, stores, clock, () => ({
      requestId: 'R1',
      network: '192.0.2.0/24',
      device: 'Firefox',
    }));
    await audit.record(
      entry('a1', { action: 'step.password', outcome: 'locked', client: 'portal', device: undefined }),
    );
    await audit.record({ action: 'session-expired', reason: 'time', detail: { tries: 2 } });
    const [first, second] = await recorded(stores);
    expect(first).toEqual({
      ...{ at: '2026-01-15T12:00:00.000Z', node: expect.stringMatching(/^[0-9a-f]{24}$/), sequence: 1 },
      ...{ action: 'step.password', outcome: 'locked', client: 'portal', requestId: 'R1', device: 'Firefox' },
      ...{ actor: { kind: 'member', id: 'a1' }, subject: { kind: 'account', id: 'a1' }, network: '192.0.2.0/24' },
      ...{ previous: '0'.repeat(64), hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(second).toMatchObject({ sequence: 2, previous: first?.hash, actor: { kind: 'system' }, outcome: 'done' });
    expect(second).toMatchObject({ reason: 'time', detail: { tries: 2 } });
  });

  test('is stored when the record resolves, in the order in which it came, in few documents', async () => {
    const audit = start();
    const all = Array.from({ length: 450 }, (_, i) => audit.record(entry(`a${i}`)));
    await all[0];
    expect((await recorded(stores)).at(0)).toMatchObject({ sequence: 1, subject: { id: 'a0' } });
    await Promise.all(all);
    const events = await recorded(stores);
    expect(events.map(({ subject }) => subject?.id)).toEqual(all.map((_, i) => `a${i}`));
    expect(events.map(({ sequence }) => sequence)).toEqual(all.map((_, i) => i + 1));
    expect((await batchesOf(stores)).length).toBeLessThan(6);
    expect(await audit.verify()).toMatchObject({ events: 450, chains: 1, faults: 0 });
  });

  test('goes in one document with others where nobody waits for it, and is there at the end', async () => {
    const audit = start();
    const soon = ['a1', 'a2', 'a3'].map((id) => audit.recordSoon(entry(id)));
    clock.advance(MINUTE);
    await audit.finish();
    await Promise.all(soon);
    const batches = await batchesOf(stores);
    expect(batches).toHaveLength(1);
    const events = await recorded(stores);
    expect(events.map(({ subject, at }) => [subject?.id, at])).toEqual([
      ['a1', '2026-01-15T12:00:00.000Z'],
      ['a2', '2026-01-15T12:00:00.000Z'],
      ['a3', '2026-01-15T12:00:00.000Z'],
    ]);
    expect(await audit.verify()).toMatchObject({ events: 3, faults: 0 });
  });

  test('and goes before what is recorded after it, which does not wait', async () => {
    const audit = start();
    const soon = audit.recordSoon(entry('a1'));
    await audit.record(entry('a2'));
    await soon;
    expect((await recorded(stores)).map(({ subject }) => subject?.id)).toEqual(['a1', 'a2']);
    expect(await batchesOf(stores)).toHaveLength(1);
  });

  test('rejects where nobody waits for it, too, when the store is down', async () => {
    const audit = start(whenInserting(dead));
    const soon = audit.recordSoon(entry('a1'));
    const told = expect(soon).rejects.toThrow(Unavailable);
    await audit.finish();
    await told;
  });

  test('makes nobody wait for a second write when the one before them failed', async () => {
    let fail = (_: Error) => {};
    let writes = 0;
    const audit = start(
      whenInserting((real) => {
        writes += 1;
        return writes === 1 ? new Promise((_, reject) => (fail = reject)) : real();
      }),
    );
    const first = expect(audit.record(entry('a1'))).rejects.toThrow(Unavailable);
    const second = expect(audit.record(entry('a2'))).rejects.toThrow(Unavailable);
    const soon = audit.recordSoon(entry('a3'));
    while (writes === 0) await Promise.resolve();
    fail(new Unavailable('mongodb', 'it hangs'));
    await Promise.all([first, second]);
    await audit.finish();
    await soon;
    expect((await recorded(stores)).map(({ subject }) => subject?.id)).toEqual(['a1', 'a3']);
    expect(await audit.verify()).toMatchObject({ events: 2, faults: 0 });
  });

  test('by ten processes at once stands in ten chains, of which none has a hole', async () => {
    const processes = Array.from({ length: 10 }, () => start());
    const work = processes.map(async (audit, i) => {
      for (let round = 0; round < 10; round += 1) {
        await Promise.all(Array.from({ length: 5 }, (_, k) => audit.record(entry(`p${i}-${round}-${k}`))));
        if (round % 4 === 0) await audit.seal();
        clock.advance(17);
      }
    });
    await Promise.all(work);
    clock.advance(MINUTE);
    await Promise.all(processes.map((audit) => audit.seal()));
    expect(await start().verify()).toMatchObject({ events: 500, chains: 10, faults: 0 });
  });

  test('does not wait for a process that is slow', async () => {
    let release = () => {};
    const stuck = new Promise<void>((resolve) => (release = resolve));
    const slow = start(whenInserting((real) => stuck.then(real)));
    const late = slow.record(entry('slow'));
    await start().record(entry('quick'));
    expect(await recorded(stores)).toHaveLength(1);
    release();
    await late;
    expect(await start().verify()).toMatchObject({ events: 2, chains: 2, faults: 0 });
  });

  test('has no hole where a process died before a write, or after it, or between two', async () => {
    let inserted = 0;
    const dying = start(whenInserting((real) => (++inserted > 2 ? dead() : real())));
    await dying.record(entry('a1'));
    await dying.record(entry('a2'));
    await expect(dying.record(entry('lost'))).rejects.toThrow(Unavailable);
    const next = start(whenInserting((real) => real().then(dead)));
    await expect(next.record(entry('there all the same'))).rejects.toThrow(Unavailable);
    const last = start();
    await last.record(entry('a4'));
    await last.seal();
    expect((await recorded(stores)).map(({ subject }) => subject?.id).toSorted()).toEqual(
      ['a1', 'a2', 'a4', 'there all the same'].toSorted(),
    );
    expect(await last.verify()).toMatchObject({ events: 4, chains: 3, faults: 0 });
  });

  test('goes on after the store was away, whether or not the write had reached it', async () => {
    const failures = [dead, dead, (real: () => Promise<unknown>) => real().then(dead)];
    const audit = start(whenInserting((real) => (failures.shift() ?? ((write) => write()))(real)));
    await expect(audit.record(entry('a1'))).rejects.toThrow(Unavailable);
    await expect(audit.record(entry('refused before it was put down'))).rejects.toThrow(Unavailable);
    await expect(audit.record(entry('refused as well'))).rejects.toThrow(Unavailable);
    await audit.record(entry('a3'));
    const events = await recorded(stores);
    expect(events.map(({ subject }) => subject?.id)).toEqual(['a1', 'a3']);
    expect(await audit.verify()).toMatchObject({ events: 2, faults: 0 });
  });

  test('may be anything that a browser sends', async () => {
    const audit = start();
    const odd = [
      '\u0000nul',
      'two\r\nlines',
      'half \ud800 a pair',
      '\udc00',
      '{"$ne":1}',
      '$where',
      '__proto__',
      '😀'.repeat(600),
    ];
    for (const text of odd)
      await audit.record(
        entry(text, { device: text, reason: text, client: text, detail: { [text]: text, n: Number.NaN } }),
      );
    await audit.record(entry('long', { device: 'x'.repeat(1_000_000), reason: '😀'.repeat(500_000) }));
    await audit.seal();
    expect(await audit.verify()).toMatchObject({ events: odd.length + 1, faults: 0 });
    const events = await recorded(stores);
    expect(events.slice(0, 4).map(({ reason }) => reason)).toEqual([
      ...['\u0000nul', 'two\r\nlines', 'half \ufffd a pair', '\ufffd'],
    ]);
    expect(events.at(-1)?.device).toBe(`${'x'.repeat(200)}… (cut from 1000000 characters)`);
    expect(events.at(-1)?.reason).toMatch(/^(😀){500}… \(cut from 1000000 characters\)$/u);
    const { events: found } = await audit.history.find({ subject: '\u0000nul' }, { limit: 5 });
    expect(found).toHaveLength(1);
  });

  test('begins another chain when the clock is set back, and each day', async () => {
    const audit = start();
    await audit.record(entry('a1'));
    clock.advance(-1_000);
    await audit.record(entry('a2'));
    clock.advance(-60 * MINUTE);
    await audit.record(entry('a3'));
    clock.advance(25 * 60 * MINUTE);
    await audit.record(entry('a4'));
    expect(await audit.verify()).toMatchObject({ events: 4, chains: 3, faults: 0 });
  });
});
