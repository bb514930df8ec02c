import { everyDocument, type Stored } from '../storage/collection.ts';
import { timeKey, timeOfId } from '../storage/newestFirst.ts';
import { type AuditBatch, batchId, checkBatch, GENESIS, lastOf, readLine } from './chain.ts';
import type { AuditEvent } from './event.ts';
import type { Fault, Faults, VerifyDependencies } from './verify.ts';
import type { Sealed } from './verifySeals.ts';

/** What a chain has to go on with, on the way to its beginning. */
interface Expected {
  /** 0 where it has begun. */
  readonly sequence: number;
  readonly hash: string;
  /** When the event after it was put down. */
  readonly at: number;
  /** What was not where it should be, and may still come. */
  readonly gap?: { readonly from: number; readonly to: number } | undefined;
}

const TOLD_EVERY = 50;

/** Walks all chains at once, from the newest event to the oldest. */
export async function verifyChains(
  deps: VerifyDependencies,
  sealed: Sealed,
  faults: Faults,
): Promise<{ readonly events: number; readonly chains: number }> {
  const chains = new Map<string, Expected>();
  const judge = { deps, sealed, faults, chains };
  const [newest, oldest] = await reach(deps);
  let [events, batches] = [0, 0];
  for await (const batch of everyDocument(deps.batches, 200)) {
    judgeBatch(judge, batch);
    events += batch.value.events.length;
    batches += 1;
    const part = newest === oldest ? 1 : (newest - timeOfId(batch.id)) / (newest - oldest);
    if (batches % TOLD_EVERY === 0) deps.onProgress?.(2, events, part);
  }
  for (const [node, expected] of chains) judgeBeginning(judge, node, expected);
  return { events, chains: chains.size };
}

interface Judge {
  readonly deps: VerifyDependencies;
  readonly sealed: Sealed;
  readonly faults: Faults;
  readonly chains: Map<string, Expected>;
}

function judgeBatch(judge: Judge, { id, value: batch }: Stored<AuditBatch>): void {
  const { node, first } = batch;
  const at = timeOfId(id);
  const read = batch.events.map(readLine);
  const add = (fault: Found) => judge.faults.add({ what: 'event', node, at, ...fault });
  const inside = faultInside(id, batch, read);
  const expected = judge.chains.get(node);
  if (inside !== undefined) add(inside);
  // A batch that is wrong in itself says nothing about those around it.
  const goesOn = inside !== undefined || expected === undefined || fits(judge, batch, read.at(-1)?.hash, expected, at);
  // Where the first cannot be read, anything may come before it.
  const next = { sequence: first - 1, hash: read[0]?.previous ?? '', at };
  if (goesOn) judge.chains.set(node, { ...next, gap: judge.chains.get(node)?.gap });
  if (inside !== undefined) return;
  if (first === 1 && read[0]?.previous !== GENESIS) add({ kind: 'changed', sequence: 1 });
  const last = lastOf(batch);
  const mac = checkBatch(id, batch, judge.deps.macs);
  const isHeld = (judge.sealed.until.get(node) ?? 0) >= last;
  if (mac === 'wrong') add({ kind: 'rewritten', ...range(first, last) });
  else if (mac === 'unknown-key' && !isHeld) add({ kind: 'unproven', ...range(first, last) });
}

type Found = Omit<Fault, 'what' | 'node' | 'at'>;

const range = (sequence: number, to: number): Pick<Fault, 'sequence' | 'to'> =>
  to > sequence ? { sequence, to } : { sequence };

/** What is wrong with a batch in itself: the first that is. */
function faultInside(
  id: string,
  { node, first, events }: AuditBatch,
  read: readonly (AuditEvent | undefined)[],
): Found | undefined {
  if (id !== batchId(timeOfId(id), node, first))
    return { kind: 'reordered', ...range(first, first + events.length - 1) };
  for (const [i, event] of read.entries()) {
    const sequence = first + i;
    if (event === undefined || event.node !== node) return { kind: 'changed', sequence };
    if (event.sequence !== sequence) return { kind: misplaced(first, read, event.sequence, sequence), sequence };
    const before = read[i - 1];
    if (before !== undefined && event.previous !== before.hash) return { kind: 'changed', sequence: sequence - 1 };
  }
  return undefined;
}

function misplaced(
  first: number,
  read: readonly (AuditEvent | undefined)[],
  found: number,
  sequence: number,
): Fault['kind'] {
  const all = read.map((event) => event?.sequence ?? 0).toSorted((a, b) => a - b);
  if (all.every((one, i) => one === first + i)) return 'reordered';
  return found > sequence ? 'removed' : 'inserted';
}

/** Holds a batch against what its chain has to go on with. Whether the chain goes on from it. */
function fits(
  { sealed, faults, chains }: Judge,
  batch: AuditBatch,
  hash: string | undefined,
  expected: Expected,
  at: number,
): boolean {
  const { node, first } = batch;
  const { sequence, gap } = expected;
  const last = lastOf(batch);
  const add = (fault: Found, when = at) => faults.add({ what: 'event', node, at: when, ...fault });
  if (last === sequence) {
    // An empty hash: what came after could not be read and says nothing.
    if (expected.hash !== '' && hash !== expected.hash) add({ kind: 'changed', sequence: last });
    return true;
  }
  if (last < sequence) {
    if ((sealed.removed.get(node)?.sequence ?? 0) >= sequence) return true;
    add({ kind: 'removed', ...range(last + 1, sequence) }, expected.at);
    chains.set(node, { ...expected, gap: { from: last + 1, to: sequence } });
    return true;
  }
  const wasMissed = gap !== undefined && first >= gap.from && last <= gap.to;
  add({ kind: wasMissed ? 'reordered' : 'inserted', ...range(first, last) });
  return false;
}

/** A chain begins with 1, or after what was removed for its age. */
function judgeBeginning({ sealed, faults }: Judge, node: string, { sequence, hash, at }: Expected): void {
  const removed = sealed.removed.get(node);
  const until = removed?.sequence ?? 0;
  const add = (fault: Found) => faults.add({ what: 'event', node, at, ...fault });
  if (sequence > until) add({ kind: 'removed', ...range(until + 1, sequence) });
  // The end of what was removed is sealed: it is the first that stays which says something else.
  else if (sequence === until && sequence > 0 && hash !== '' && removed?.hash !== hash)
    add({ kind: 'changed', sequence: sequence + 1 });
}

/** When the newest and the oldest batch were put down; the oldest to the minute, looked for by halves. */
async function reach({ batches }: VerifyDependencies): Promise<[number, number]> {
  const [top] = await batches.all('', 1);
  if (top === undefined) return [0, 0];
  const newest = timeOfId(top.id);
  let [none, some] = [0, newest];
  while (some - none > 60_000) {
    const middle = Math.floor((none + some) / 2);
    const [older] = await batches.all(timeKey(middle), 1);
    if (older === undefined) none = middle;
    else some = timeOfId(older.id);
  }
  return [newest, Math.min(some, newest)];
}
