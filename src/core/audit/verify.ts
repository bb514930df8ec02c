import type { Collection } from '../storage/collection.ts';
import type { AuditBatch } from './chain.ts';
import type { Macs } from './macs.ts';
import type { AuditSeal } from './seals.ts';
import { verifyChains } from './verifyChains.ts';
import { verifySeals } from './verifySeals.ts';

/** Something that is not as it was put down. */
export interface Fault {
  readonly what: 'event' | 'seal';
  /**
   * `rewritten`: the chain fits again, but was not made by us, from here or from a later event on; `unproven`: made with a key
   * that we do not have, and no seal of ours is newer.
   */
  readonly kind: 'changed' | 'removed' | 'inserted' | 'reordered' | 'rewritten' | 'unproven';
  /** The chain of an event. */
  readonly node?: string | undefined;
  readonly sequence: number;
  /** The last of them, where there are several. */
  readonly to?: number | undefined;
  /** About when that was put down, in milliseconds since 1970. */
  readonly at: number;
}

export interface Verdict {
  readonly events: number;
  readonly chains: number;
  readonly seals: number;
  /** The newest seal: who keeps its number and digest elsewhere sees when the end of everything is cut off. */
  readonly newest: { readonly number: number; readonly digest: string } | undefined;
  /** Seals by keys that we do not have any longer: a newer one of ours holds them. */
  readonly otherKeys: readonly { readonly key: string; readonly seals: number; readonly newest: number }[];
  readonly faults: number;
  /** The oldest of them. */
  readonly first: Fault | undefined;
}

export interface VerifyDependencies {
  readonly batches: Collection<AuditBatch>;
  readonly seals: Collection<AuditSeal>;
  readonly macs: Pick<Macs, 'check'>;
  /** How far the reading is: first of the seals, then of the events. */
  readonly onProgress?: (pass: 1 | 2, records: number, part: number) => void;
}

/** Counts faults and keeps the first. */
function faultList() {
  let count = 0;
  let first: Fault | undefined;
  const nodes = new Set<string>();
  return {
    add(fault: Fault): void {
      count += 1;
      if (fault.node !== undefined) nodes.add(fault.node);
      if (first === undefined || isEarlier(fault, first)) first = fault;
    },
    has: (node: string): boolean => nodes.has(node),
    get count() {
      return count;
    },
    get first() {
      return first;
    },
  };
}

export type Faults = ReturnType<typeof faultList>;

/** Of one chain the sequence says it, of several the time. */
const isEarlier = (a: Fault, b: Fault): boolean =>
  a.what === b.what && a.node === b.node ? a.sequence < b.sequence : a.at < b.at;

/**
 * Proves that everything on record is as it was put down: reads the seals and then the events, each once and the newest first,
 * and keeps a few words in memory for each chain. May run beside the provider.
 */
export async function verifyAudit(deps: VerifyDependencies): Promise<Verdict> {
  const faults = faultList();
  const sealed = await verifySeals(deps, faults);
  const { events, chains } = await verifyChains(deps, sealed, faults);
  // A chain whose own links have shown what is wrong with it has said so more exactly.
  for (const fault of sealed.unmet.values()) if (!faults.has(String(fault.node))) faults.add(fault);
  const { seals, newest, otherKeys } = sealed;
  return { events, chains, seals, newest, otherKeys, faults: faults.count, first: faults.first };
}
