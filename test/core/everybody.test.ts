import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { endAll, endings } from '../../src/core/session/everybody.ts';
import type { Stores } from '../../src/core/storage/stores.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';

describeOnEveryStore('the end of everybody’s sessions', (pair) => {
  let stores: Stores;
  beforeEach(async () => {
    stores = await pair.open(new TestClock());
  });
  afterEach(() => stores.close());

  test('is over for what began until then, and for nothing that begins later', async () => {
    const ended = endings(stores.endings);
    await ended.load();
    expect(ended.areOver(0)).toBe(false);
    await endAll(stores.endings, 1_000);
    await ended.load();
    expect([999, 1_000, 1_001].map(ended.areOver)).toEqual([true, true, false]);
  });

  test('stands when a clock that was set back ends all again, and when several do at once', async () => {
    const ended = endings(stores.endings);
    await Promise.all([3_000, 1_000, 2_000].map((now) => endAll(stores.endings, now)));
    await endAll(stores.endings, 500);
    await ended.load();
    expect([3_000, 3_001].map(ended.areOver)).toEqual([true, false]);
  });
});
