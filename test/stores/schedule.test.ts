import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type Schedule, workOff } from '../../src/core/storage/schedule.ts';
import type { Stores } from '../../src/core/storage/stores.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryRedis } from '../support/describeOn.ts';

const LEASE = 10_000;

describeOnEveryRedis('a schedule', (pair) => {
  let clock: TestClock;
  let stores: Stores;
  let schedule: Schedule;
  beforeEach(async () => {
    clock = new TestClock();
    stores = await pair.open(clock);
    schedule = stores.schedule;
  });
  afterEach(() => stores.close());

  const take = async (most = 10) => (await schedule.take('list', most, LEASE)).map(({ id }) => id);

  test('hands an item out when it is due and not before', async () => {
    await schedule.put('list', 'a', clock.now() + 1_000, { n: 1 });
    clock.advance(999);
    expect(await take()).toEqual([]);
    clock.advance(1);
    expect(await schedule.take('list', 10, LEASE)).toEqual([
      { id: 'a', value: { n: 1 }, leasedUntil: clock.now() + LEASE },
    ]);
  });

  test('hands it to one only, and again when the lease has run out', async () => {
    await schedule.put('list', 'a', clock.now(), {});
    const takers = await Promise.all(Array.from({ length: 20 }, () => take()));
    expect(takers.flat()).toEqual(['a']);
    clock.advance(LEASE);
    expect(await take()).toEqual(['a']);
  });

  test('hands out the earliest first, and no more than asked for', async () => {
    for (const [id, ago] of [
      ['c', 1],
      ['a', 3],
      ['b', 2],
    ] as const)
      await schedule.put('list', id, clock.now() - ago, {});
    expect((await take(2)).sort()).toEqual(['a', 'b']);
    expect(await take(2)).toEqual(['c']);
  });

  test('forgets what is done, but not what was put down anew meanwhile', async () => {
    await schedule.put('list', 'a', clock.now(), {});
    const [first] = await schedule.take('list', 1, LEASE);
    await schedule.put('list', 'a', clock.now() + 1, { again: true });
    if (first !== undefined) await schedule.done('list', first);
    clock.advance(1);
    const [second] = await schedule.take('list', 1, LEASE);
    expect(second?.value).toEqual({ again: true });
    if (second !== undefined) await schedule.done('list', second);
    clock.advance(LEASE);
    expect(await take()).toEqual([]);
  });

  test('is worked off to the end though one fails, which comes again', async () => {
    for (const id of ['a', 'b', 'c', 'd', 'e']) await schedule.put('list', id, clock.now(), {});
    const done: string[] = [];
    const work = async (fails: string) =>
      workOff(schedule, 'list', { most: 2, lease: LEASE }, async ({ id }) => {
        if (id === fails) throw new Error(`not ${id}`);
        done.push(id);
      });
    await expect(work('a')).rejects.toThrow('not a');
    expect(done.sort()).toEqual(['b', 'c', 'd', 'e']);
    clock.advance(LEASE);
    await work('nobody');
    expect(done).toContain('a');
    clock.advance(LEASE);
    expect(await take()).toEqual([]);
  });

  test('moves an item, removes one whatever its time, and keeps lists apart', async () => {
    await schedule.put('list', 'a', clock.now(), {});
    await schedule.put('list', 'a', clock.now() + 5, {});
    await schedule.put('list', 'b', clock.now(), {});
    await schedule.put('other', 'c', clock.now(), {});
    await schedule.remove('list', 'b');
    await schedule.remove('list', 'nobody');
    expect(await take()).toEqual([]);
    clock.advance(5);
    expect(await take()).toEqual(['a']);
  });
});
