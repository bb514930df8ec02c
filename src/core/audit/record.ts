import type { Clock } from '../clock.ts';
import type { Collection } from '../storage/collection.ts';
import { type AuditBatch, batchId, type ChainHead, GENESIS, linked, signedBatch } from './chain.ts';
import type { Audit, AuditEntry } from './event.ts';
import type { Macs } from './macs.ts';
import type { SealedHead } from './seals.ts';

export interface RecorderDependencies {
  readonly batches: Collection<AuditBatch>;
  readonly clock: Clock;
  readonly macs: Pick<Macs, 'sign'>;
  /** A name for a chain that no other process has. */
  readonly newNode: () => string;
  /** What is known without being said: the request that is being answered, or the person at the command line. */
  readonly circumstances?: () => Partial<AuditEntry>;
}

/** Our own chain, for who seals it. */
export interface OwnChain {
  /** Where it stands in the store; undefined while it is empty. */
  head(): SealedHead | undefined;
  /** Puts down what still waits; resolves when nothing does. */
  finish(): Promise<void>;
}

interface Waiting {
  readonly at: number;
  readonly entry: AuditEntry;
  /** Somebody waits for it. */
  readonly urgent: boolean;
  resolve(): void;
  reject(error: unknown): void;
}

/** A batch has at most so many events, so that it is never too large for a store. */
const MOST_AT_ONCE = 200;
/** What nobody waits for is kept through an outage up to so many events. */
const MOST_KEPT = 10_000;
/** Milliseconds that an event waits at most for others to go with, when nobody waits for it. */
const SOON_MS = 100;
/** A clock that is set back by more begins another chain: the order of ids is the order of each chain. */
const SET_BACK_MS = 60_000;
/** A chain goes on for a day, so that the seal that tells what was removed of it need not outlive it. */
const LONGEST_CHAIN_MS = 24 * 60 * 60_000;

/**
 * The chain of this process. What comes while a write is under way goes with the next, in one document: it is stored as a
 * whole or not at all, and a busy provider writes few. What nobody waits for waits a moment for company. No other process is
 * waited for.
 *
 * A write that failed may have happened all the same. It is repeated under its id before the next one, so that the chain has
 * neither a hole nor a fork: what was answered with an error may be on record, and what was answered is.
 */
export function recorder(deps: RecorderDependencies): Audit & OwnChain {
  const { batches, clock, macs, newNode, circumstances = () => ({}) } = deps;
  const newChain = (): ChainHead => ({ node: newNode(), sequence: 0, hash: GENESIS });
  let [chain, latest, began] = [newChain(), 0, clock.now()];
  let stored: SealedHead | undefined;
  let unsure: { readonly id: string; readonly batch: AuditBatch; readonly head: ChainHead } | undefined;
  let writing: Promise<void> | undefined;
  let planned: ReturnType<typeof setTimeout> | undefined;
  const waiting: Waiting[] = [];

  async function store(): Promise<void> {
    if (unsure === undefined) return;
    const { id, batch, head } = unsure;
    // Where the id is taken, it is by the first try of this very batch.
    await batches.insert(id, batch);
    stored = { ...head, batch: id };
    unsure = undefined;
  }

  async function write(events: readonly Waiting[]): Promise<void> {
    await store();
    const at = Math.max(...events.map((event) => event.at));
    if (at < latest - SET_BACK_MS || at > began + LONGEST_CHAIN_MS) [chain, latest, began] = [newChain(), 0, at];
    latest = Math.max(at, latest);
    const first = chain.sequence + 1;
    const id = batchId(latest, chain.node, first);
    const { lines, head } = linked(chain, events);
    unsure = { id, head, batch: signedBatch(id, { node: chain.node, first, events: lines }, macs) };
    chain = head;
    await store();
  }

  async function writeAll(): Promise<void> {
    do {
      const events = waiting.splice(0, MOST_AT_ONCE);
      try {
        await write(events);
        for (const { resolve } of events) resolve();
      } catch (error) {
        // Whoever waits for the next write would wait as long once more.
        for (const { reject } of [...events, ...takeUrgent()]) reject(error);
      }
    } while (isDue());
  }

  /** Those that somebody waits for; and, so that an outage fills no memory, all beyond what a store takes at once when it is back. */
  function takeUrgent(): Waiting[] {
    const all = waiting.splice(0);
    const later = all.filter(({ urgent }) => !urgent);
    waiting.push(...later.slice(-MOST_KEPT));
    return [...all.filter(({ urgent }) => urgent), ...later.slice(0, -MOST_KEPT)];
  }

  /** Whether what waits is not to wait longer for more. */
  const isDue = (): boolean => waiting.length >= MOST_AT_ONCE || waiting.some(({ urgent }) => urgent);

  function begin(): Promise<void> {
    clearTimeout(planned);
    planned = undefined;
    writing ??= writeAll().finally(() => {
      writing = undefined;
      plan();
    });
    return writing;
  }

  function plan(): void {
    if (waiting.length === 0 || writing !== undefined) return;
    if (isDue()) void begin();
    else planned ??= setTimeout(begin, SOON_MS);
  }

  const put = (entry: AuditEntry, urgent: boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      waiting.push({ at: clock.now(), entry: { ...circumstances(), ...said(entry) }, urgent, resolve, reject });
      plan();
    });

  return {
    record: (entry) => put(entry, true),
    recordSoon: (entry) => put(entry, false),
    head: () => stored,
    async finish() {
      while (waiting.length > 0 || writing !== undefined) await begin();
    },
  };
}

/** Without the fields that are named and left open: there the circumstances count. */
const said = (entry: AuditEntry): AuditEntry =>
  Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined)) as unknown as AuditEntry;
