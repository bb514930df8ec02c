import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { systemClock } from '../../src/adapters/systemClock.ts';
import type { Stores } from '../../src/core/storage/stores.ts';
import { auditOf } from '../../src/parts.ts';
import { openEmbeddedStores } from '../../src/stores/open.ts';
import { entry } from '../support/audit.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { SECRETS } from '../support/provider.ts';
import { STORE_PAIRS } from '../support/stores.ts';

const EVENTS = 1_000_000;
const PROCESSES = 4;
/** Events that are on their way at once, in each process. */
const AT_ONCE = 250;
const ACCOUNTS = 20_000;

const folder = mkdtempSync(join(tmpdir(), 'audit-'));

/** The seconds that it took. */
async function timed<Result>(work: () => Promise<Result>): Promise<[number, Result]> {
  const began = performance.now();
  const result = await work();
  return [Math.round((performance.now() - began) / 100) / 10, result];
}

describeOnEveryStore('a million events on record', (pair) => {
  test('are written, sealed and verified, and one that was changed is named', async () => {
    const stores: Stores =
      pair === STORE_PAIRS[0] ? openEmbeddedStores(folder, systemClock) : await pair.open(systemClock);
    const audits = Array.from({ length: PROCESSES }, () => auditOf(SECRETS, stores, systemClock));
    const [audit] = audits;
    if (audit === undefined) throw new Error('there are several');
    let next = 0;
    const write = async ({ record }: (typeof audits)[number]) => {
      const one = async () => {
        while (next < EVENTS) {
          next += 1;
          await record(
            entry(`account-${next % ACCOUNTS}`, { client: 'portal', network: '192.0.2.0/24', device: 'Firefox' }),
          );
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, one));
    };
    const [writing] = await timed(() => Promise.all(audits.map(write)));
    const [sealing] = await timed(audit.seal);
    const [verifying, verdict] = await timed(() => audit.verify());
    expect(verdict).toMatchObject({ chains: PROCESSES, seals: 1, faults: 0 });
    expect(verdict.events).toBeGreaterThanOrEqual(EVENTS);

    const [looking, found] = await timed(() => audit.history.find({ subject: 'account-77' }, { limit: 20 }));
    expect(found.events).toHaveLength(20);

    const page = await stores.audit.all('', 2_000);
    const { id, version, value } = page.at(-1) ?? { id: '', version: 0, value: undefined };
    if (value === undefined) throw new Error('there are more');
    const events = value.events.with(1, String(value.events[1]).replace('signed-in', 'signed-out'));
    expect(await stores.audit.replace(id, version, { ...value, events })).toBe(true);
    const [naming, { faults, first }] = await timed(() => audit.verify());
    await stores.close();
    rmSync(folder, { recursive: true, force: true });
    const memory = Math.round(process.resourceUsage().maxRSS / 1024);
    console.info(
      `${pair.name}: written in ${writing} s (${Math.round(EVENTS / writing)} a second), sealed and listed in ${sealing} s, ` +
        `verified in ${verifying} s, the changed one named in ${naming} s, 20 events of one account in ${looking} s; ${memory} MiB`,
    );
    expect([faults, first]).toMatchObject([1, { kind: 'changed', node: value.node, sequence: value.first + 1 }]);
  }, 1_800_000);
});
