import type { Stored } from '../storage/collection.ts';
import { timeOfId } from '../storage/newestFirst.ts';
import { type ChainHead, GENESIS, headOf } from './chain.ts';
import { keyOf } from './macs.ts';
import { type AuditSeal, bodyOf, digestOfSeal, numberOfSeal, type SealBody, type SealedHead } from './seals.ts';
import type { Fault, Faults, Verdict, VerifyDependencies } from './verify.ts';

/** What the seals prove about the chains. */
export interface Sealed extends Pick<Verdict, 'seals' | 'newest' | 'otherKeys'> {
  /** How far each chain was sealed. */
  readonly until: ReadonlyMap<string, number>;
  /** Up to where the beginning of a chain was removed for its age. */
  readonly removed: ReadonlyMap<string, ChainHead>;
  /** Of each chain the first of its sealed heads that is not in the store as it was. */
  readonly unmet: ReadonlyMap<string, Fault>;
}

const AT_ONCE = 500;

/** Walks the common chain, and looks for each head that it has sealed. */
export async function verifySeals(deps: VerifyDependencies, faults: Faults): Promise<Sealed> {
  const until = new Map<string, number>();
  const removed = new Map<string, ChainHead>();
  const unmet = new Map<string, Fault>();
  const otherKeys = new Map<string, { seals: number; newest: number }>();
  const judge = sealJudge(deps, faults, otherKeys);
  let [seals, after, newest]: [number, string, Verdict['newest']] = [0, '', undefined];
  for (;;) {
    const page = await deps.seals.all(after, AT_ONCE);
    const [top] = page;
    newest ??= top && { number: numberOfSeal(top.id), digest: digestOfSeal(top.value) };
    const heads: SealedHead[] = [];
    for (const seal of page) {
      const body = judge.next(seal);
      if (body === 'done') break;
      seals += 1;
      for (const end of body?.removed ?? [])
        if (end.sequence > (removed.get(end.node)?.sequence ?? 0)) removed.set(end.node, end);
      for (const head of body?.heads ?? []) {
        until.set(head.node, Math.max(head.sequence, until.get(head.node) ?? 0));
        if (head.sequence > (removed.get(head.node)?.sequence ?? 0)) heads.push(head);
      }
    }
    for (const fault of await missing(deps, heads)) unmet.set(String(fault.node), fault);
    const last = page.at(-1);
    if (last === undefined || judge.isDone()) break;
    after = last.id;
    deps.onProgress?.(1, seals, seals / (newest?.number ?? 1));
  }
  judge.end();
  const keys = [...otherKeys].map(([key, counted]) => ({ key, ...counted }));
  return { seals, newest, otherKeys: keys, until, removed, unmet };
}

/** The heads that are not in the store as they were sealed, the oldest last. */
async function missing({ batches }: VerifyDependencies, heads: readonly SealedHead[]): Promise<Fault[]> {
  const faults: Fault[] = [];
  for (let i = 0; i < heads.length; i += AT_ONCE) {
    const some = heads.slice(i, i + AT_ONCE);
    const found = await batches.findMany([...new Set(some.map(({ batch }) => batch))]);
    const standing = new Map(found.map(({ id, value }) => [id, headOf(value)]));
    for (const { node, sequence, hash, batch } of some) {
      const stands = standing.get(batch);
      if (stands?.node === node && stands.sequence === sequence && stands.hash === hash) continue;
      const kind = stands === undefined ? 'removed' : 'rewritten';
      faults.push({ what: 'event', kind, node, sequence, at: timeOfId(batch) });
    }
  }
  return faults;
}

type OtherKeys = Map<string, { seals: number; newest: number }>;

/** Judges one seal after another, the newest first. */
function sealJudge({ macs }: VerifyDependencies, faults: Faults, otherKeys: OtherKeys) {
  /** The one after it. */
  let newer: { readonly number: number; readonly previous: string | undefined } | undefined;
  let base: SealBody['removedSeals'];
  let [at, isOurs, done] = [0, false, false];
  const fault = (kind: Fault['kind'], sequence: number, to?: number) =>
    faults.add({ what: 'seal', kind, sequence, to, at });

  /** Whether a seal is the one that was made, as far as the newer one and its mac say. */
  function isRight({ value }: Stored<AuditSeal>, number: number): boolean {
    const mac = macs.check(value.body, value.mac);
    const held = newer?.number === number + 1 ? newer.previous : undefined;
    const isHeld = held === digestOfSeal(value);
    if (held !== undefined && !isHeld) fault('changed', number);
    else if (mac === 'wrong') fault('changed', number);
    else if (mac === 'unknown-key' && !(isHeld && isOurs)) fault('unproven', number);
    else {
      if (mac === 'right') isOurs = true;
      else countKey(keyOf(value.mac), number);
      return true;
    }
    return false;
  }

  function countKey(key: string, number: number): void {
    const counted = otherKeys.get(key) ?? { seals: 0, newest: number };
    otherKeys.set(key, { ...counted, seals: counted.seals + 1 });
  }

  return {
    /** What a seal says, where it is right; `done` where this one and those before were removed for their age. */
    next(seal: Stored<AuditSeal>): SealBody | 'done' | undefined {
      const number = numberOfSeal(seal.id);
      if (base !== undefined && number <= base.number) {
        done = true;
        return 'done';
      }
      const body = bodyOf(seal.value);
      at = Date.parse(body.at ?? '') || at;
      if (newer !== undefined && newer.number !== number + 1) fault('removed', number + 1, newer.number - 1);
      const right = isRight(seal, number) && body.number === number;
      if (!right && body.number !== number) fault('reordered', number);
      // What a wrong seal says about the one before is as good as nothing.
      newer = { number, previous: right ? body.previous : undefined };
      if (!right) return undefined;
      if (body.removedSeals !== undefined && body.removedSeals.number > (base?.number ?? 0)) base = body.removedSeals;
      return body as SealBody;
    },
    isDone: () => done,
    /** Whether the chain begins where it has to. */
    end(): void {
      if (newer === undefined) return;
      const beginsAt = (base?.number ?? 0) + 1;
      if (newer.number > beginsAt) fault('removed', beginsAt, newer.number - 1);
      else if (newer.previous !== undefined && newer.previous !== (base?.digest ?? GENESIS)) fault('changed', beginsAt);
    },
  };
}
