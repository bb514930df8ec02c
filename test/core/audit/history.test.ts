import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { everyDocument } from '../../../src/core/storage/collection.ts';
import type { Stores } from '../../../src/core/storage/stores.ts';
import { auditOf } from '../../../src/parts.ts';
import { entry } from '../../support/audit.ts';
import { TestClock } from '../../support/clock.ts';
import { describeOnEveryStore } from '../../support/describeOn.ts';
import { SECRETS } from '../../support/provider.ts';

const MINUTE = 60_000;

describeOnEveryStore('reading the audit', (pair) => {
  const clock = new TestClock();
  let stores: Stores;
  let audit: ReturnType<typeof auditOf>;
  beforeEach(async () => {
    stores = await pair.open(clock);
    audit = auditOf(SECRETS, stores, clock);
    // Forty minutes of two processes, the last of them not sealed yet.
    const other = auditOf(SECRETS, stores, clock);
    for (let i = 0; i < 40; i += 1) {
      await Promise.all([
        ...['x', 'y', 'z'].map((name) => audit.record(entry(`${name}${i % 4}`))),
        other.record({
          action: 'client-disabled',
          actor: { kind: 'command', id: 'root' },
          subject: { kind: 'client', id: `app${i}` },
        }),
      ]);
      if (i < 39) await other.seal();
      clock.advance(MINUTE);
    }
  });
  afterEach(() => stores.close());

  type Filter = Parameters<typeof audit.history.find>[0];

  async function inPages(filter: Filter, limit: number) {
    const all = [];
    let after: string | undefined = '';
    while (after !== undefined) {
      const page: Awaited<ReturnType<typeof audit.history.find>> = await audit.history.find(filter, { after, limit });
      all.push(...page.events);
      after = page.more;
    }
    return all;
  }

  async function exported(filter: Filter) {
    const all = [];
    for await (const event of audit.history.every(filter)) all.push(event);
    return all;
  }

  test.each([1, 3, 1_000])('finds the same by pages of %i as by reading everything', async (limit) => {
    const now = clock.now();
    const filters: [Filter, number][] = [
      [{}, 160],
      [{ subject: 'x1' }, 10],
      [{ actor: 'root' }, 40],
      [{ actor: 'root', subject: 'app39' }, 1],
      [{ actor: 'x1', action: 'client-disabled' }, 0],
      [{ action: 'client-disabled', from: now - 10 * MINUTE }, 10],
      [{ subject: 'x1', from: now - 20 * MINUTE, to: now - 4 * MINUTE }, 4],
      [{ to: now - 30 * MINUTE }, 40],
      [{ subject: 'nobody' }, 0],
    ];
    for (const [filter, count] of filters) {
      const found = await inPages(filter, limit);
      expect([filter, found.length]).toEqual([filter, count]);
      expect(found).toEqual(await exported(filter));
      expect(found.map(({ at }) => at)).toEqual(
        found
          .map(({ at }) => at)
          .toSorted()
          .toReversed(),
      );
    }
  });

  test('reads few documents for an account that did little', async () => {
    let read = 0;
    const counted = {
      ...stores,
      audit: Object.create(stores.audit, {
        all: {
          async value(...args: Parameters<Stores['audit']['all']>) {
            const found = await stores.audit.all(...args);
            read += found.length;
            return found;
          },
        },
        findMany: { value: (...args: Parameters<Stores['audit']['findMany']>) => stores.audit.findMany(...args) },
      }),
    };
    for (let i = 0; i < 300; i += 1) await audit.record(entry('somebody else'));
    clock.advance(MINUTE);
    await audit.seal();
    clock.advance(MINUTE);
    const found = await auditOf(SECRETS, counted, clock).history.find({ subject: 'app3' }, { limit: 20 });
    expect(found.events).toHaveLength(1);
    expect(read).toBeLessThanOrEqual(200);
  });

  test('lists everything once for who looks it up', async () => {
    const ids = [];
    for await (const { id } of everyDocument(stores.auditLookup)) ids.push(id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(160);
  });
});
