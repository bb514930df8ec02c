import type { Stored } from '../storage/collection.ts';
import { timeKey } from '../storage/newestFirst.ts';
import { type AuditBatch, type ChainHead, eventsOf, headOf } from './chain.ts';
import type { Lookup } from './lookup.ts';
import {
  type AuditSeal,
  appendSeal,
  digestOfSeal,
  newestSeal,
  numberOfSeal,
  type SealDependencies,
  sealedAt,
  sealId,
} from './seals.ts';

export interface RetentionDependencies extends Omit<SealDependencies, 'lookup'> {
  readonly lookup: Pick<Lookup, 'remove'>;
  /** Removes what an account's owner reads of the time before. */
  readonly forget: (accountId: string, before: number) => Promise<void>;
}

const AT_ONCE = 200;

/**
 * Removes what was put down before a time (milliseconds since 1970): the beginning of each chain, and the seals of that time. A
 * seal says first how far, so that what stays can still be proven, and that somebody who dies over it has changed nothing.
 * Returns how many events are gone.
 */
export async function removeOld(deps: RetentionDependencies, before: number): Promise<number> {
  const told = new Map<string, number>();
  let gone = 0;
  for (;;) {
    // What was put down in the very millisecond stays.
    const page = await deps.batches.all(`${timeKey(before)}~`, AT_ONCE);
    if (page.length === 0) break;
    const removed = endsOf(page).filter(({ node, sequence }) => sequence > (told.get(node) ?? 0));
    for (const { node, sequence } of removed) told.set(node, sequence);
    if (removed.length > 0) await appendSeal(deps, { heads: [], removed });
    for (const batch of page) gone += await removeBatch(deps, batch, before);
  }
  await removeOldSeals(deps, before);
  return gone;
}

/** How far each chain reaches in these batches. */
function endsOf(page: readonly Stored<AuditBatch>[]): ChainHead[] {
  const ends = new Map<string, ChainHead>();
  for (const head of page.map(({ value }) => headOf(value)))
    if (head.sequence > (ends.get(head.node)?.sequence ?? 0)) ends.set(head.node, head);
  return [...ends.values()];
}

async function removeBatch(deps: RetentionDependencies, batch: Stored<AuditBatch>, before: number): Promise<number> {
  const subjects = eventsOf(batch.value).map(({ subject }) => (subject?.kind === 'account' ? subject.id : undefined));
  for (const id of new Set(subjects)) if (id !== undefined) await deps.forget(id, before);
  // The batch last: who dies over it comes back for the rest.
  await deps.lookup.remove(batch);
  return (await deps.batches.remove(batch.id, batch.version)) ? batch.value.events.length : 0;
}

async function removeOldSeals(deps: RetentionDependencies, before: number): Promise<void> {
  const newest = await newestBefore(deps, before);
  if (newest === undefined) return;
  await appendSeal(deps, {
    ...{ heads: [], removed: [] },
    removedSeals: { number: numberOfSeal(newest.id), digest: digestOfSeal(newest.value) },
  });
  for (let after = newest.id; ; ) {
    const page = await deps.seals.all(after, AT_ONCE);
    for (const { id, version } of page) await deps.seals.remove(id, version);
    const last = page.at(-1);
    if (last === undefined) break;
    after = last.id;
  }
  await deps.seals.remove(newest.id, newest.version);
}

/** The newest seal of before a time. Times grow with numbers, so that it is looked for by halves. */
async function newestBefore({ seals }: Pick<RetentionDependencies, 'seals'>, before: number) {
  const isYoung = (seal: Stored<AuditSeal> | undefined) => seal !== undefined && sealedAt(seal.value) >= before;
  let [old, young] = [0, ((await newestSeal(seals))?.number ?? 0) + 1];
  while (young - old > 1) {
    const middle = Math.floor((old + young) / 2);
    if (isYoung(await seals.find(sealId(middle)))) young = middle;
    else old = middle;
  }
  return seals.find(sealId(old));
}
