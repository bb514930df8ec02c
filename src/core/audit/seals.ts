import type { Clock } from '../clock.ts';
import { type Collection, everyDocument, type Stored } from '../storage/collection.ts';
import { timeKey, timeOfId } from '../storage/newestFirst.ts';
import { canonical, digestOf } from './canonical.ts';
import { type AuditBatch, type ChainHead, checkBatch, GENESIS, headOf, lastOf } from './chain.ts';
import type { Lookup } from './lookup.ts';
import type { Macs } from './macs.ts';
import type { OwnChain } from './record.ts';

/** One link of the chain that all processes have in common. */
export interface AuditSeal {
  /** Canonical JSON of a SealBody. */
  readonly body: string;
  readonly mac: string;
}

/** Where a chain had come to, and in which document that stands. */
export interface SealedHead extends ChainHead {
  readonly batch: string;
}

/** What a seal says. */
export interface SealBody {
  /** From 1. */
  readonly number: number;
  /** UTC (RFC 3339). */
  readonly at: string;
  /** The chains that have grown since the seal before. */
  readonly heads: readonly SealedHead[];
  /** Events that were too old: of each of these chains those up to this one. */
  readonly removed: readonly ChainHead[];
  /** The same of the seals themselves: those up to this one, and its digest. */
  readonly removedSeals?: { readonly number: number; readonly digest: string } | undefined;
  /** The digest of the seal before. */
  readonly previous: string;
}

const HIGHEST = 9_999_999_999;

/** The newest comes first. */
export const sealId = (number: number): string => String(HIGHEST - number).padStart(10, '0');
export const numberOfSeal = (id: string): number => HIGHEST - Number(id);

/** Of the whole seal: who keeps one knows all before it, also when the keys that made those are gone. */
export const digestOfSeal = ({ body, mac }: AuditSeal): string => digestOf(`${body}\n${mac}`);

export interface SealDependencies {
  readonly batches: Collection<AuditBatch>;
  readonly seals: Collection<AuditSeal>;
  readonly lookup: Pick<Lookup, 'add'>;
  readonly macs: Macs;
  readonly clock: Clock;
}

/** One seal in this time is enough, whichever process makes it. */
const SELDOM_MS = 30_000;
/** A batch may be this late: the clocks of the processes differ, and a write takes its time. */
const LATE_MS = 5 * 60_000;
const AT_ONCE = 200;

type Content = Pick<SealBody, 'heads' | 'removed' | 'removedSeals'>;

/** What a seal says, unproven; nothing where it cannot be read. */
export function bodyOf({ body }: AuditSeal): Partial<SealBody> {
  try {
    return (JSON.parse(body) as Partial<SealBody> | null) ?? {};
  } catch {
    return {};
  }
}

/** When a seal was made, in milliseconds since 1970. */
export const sealedAt = (seal: AuditSeal): number => Date.parse(bodyOf(seal).at ?? '');

/** The newest seal, unproven; undefined where there is none. */
export async function newestSeal(
  seals: Collection<AuditSeal>,
): Promise<{ readonly number: number; readonly digest: string } | undefined> {
  const [newest] = await seals.all('', 1);
  return newest && { number: numberOfSeal(newest.id), digest: digestOfSeal(newest.value) };
}

/** When chains were sealed last; a seal that tells what was removed seals none. */
async function lastSealing(seals: Collection<AuditSeal>): Promise<number | undefined> {
  for await (const { value } of everyDocument(seals, 10)) {
    const { heads = [] } = bodyOf(value);
    if (heads.length > 0) return sealedAt(value);
  }
  return undefined;
}

/** Puts a seal after the newest. Of processes that do so at once each gets a number of its own. */
export async function appendSeal(
  { seals, macs, clock }: Pick<SealDependencies, 'seals' | 'macs' | 'clock'>,
  content: Content,
): Promise<void> {
  for (;;) {
    const newest = await newestSeal(seals);
    const number = (newest?.number ?? 0) + 1;
    const at = new Date(clock.now()).toISOString();
    const body = canonical({ ...content, number, at, previous: newest?.digest ?? GENESIS });
    if ((await seals.insert(sealId(number), { body, mac: macs.sign(body) })) === 'inserted') return;
  }
}

/**
 * Seals where all chains have come to, also those of processes that died since, and lists what is new for who looks something
 * up. From then on no event before it can be changed or taken away unseen, by whoever writes the database. Each process calls
 * it every minute; one of them does it.
 */
export async function sealChains(deps: SealDependencies, own?: OwnChain): Promise<void> {
  const last = await lastSealing(deps.seals);
  if (last !== undefined && Math.abs(deps.clock.now() - last) < SELDOM_MS) return;
  const since = last === undefined ? 0 : last - LATE_MS;
  const sealed = await sealedSince(deps.seals, since - LATE_MS);
  const heads = new Map<string, SealedHead>();
  const mine = own?.head();
  if (mine !== undefined && mine.sequence > (sealed.get(mine.node) ?? 0)) heads.set(mine.node, mine);
  for await (const page of pagesSince(deps.batches, since)) {
    const fresh = page.filter(({ value }) => lastOf(value) > (sealed.get(value.node) ?? 0));
    await deps.lookup.add(fresh);
    for (const { id, value } of fresh) {
      // What somebody else has put into the database is not made right by a seal.
      if (heads.has(value.node) || checkBatch(id, value, deps.macs) !== 'right') continue;
      heads.set(value.node, { ...headOf(value), batch: id });
    }
  }
  if (heads.size > 0) await appendSeal(deps, { heads: [...heads.values()], removed: [] });
}

async function* pagesSince(batches: Collection<AuditBatch>, since: number): AsyncGenerator<Stored<AuditBatch>[]> {
  for (let after = ''; ; ) {
    const page = await batches.all(after, AT_ONCE);
    yield page;
    const last = page.at(-1);
    if (last === undefined || timeOfId(last.id) < since) return;
    after = last.id;
  }
}

/** How far the chains were sealed by the seals since a time. */
async function sealedSince(seals: Collection<AuditSeal>, since: number): Promise<Map<string, number>> {
  const sealed = new Map<string, number>();
  for await (const { value } of everyDocument(seals, AT_ONCE)) {
    if (sealedAt(value) < since) break;
    for (const { node, sequence } of bodyOf(value).heads ?? [])
      sealed.set(node, Math.max(sequence, sealed.get(node) ?? 0));
  }
  return sealed;
}

/** From this id on everything is listed for who looks something up: what was put down before chains were sealed last. */
export async function listedFrom(seals: Collection<AuditSeal>): Promise<string | undefined> {
  const last = await lastSealing(seals);
  // A write that was under way then.
  return last === undefined ? undefined : timeKey(last - 10_000);
}
