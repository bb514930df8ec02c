import { timeKey } from '../storage/newestFirst.ts';
import { canonical, digestOf } from './canonical.ts';
import { type AuditEntry, type AuditEvent, tidied } from './event.ts';
import type { Macs } from './macs.ts';

/** What one process put on record at once: some links of its chain, one after another. */
export interface AuditBatch {
  readonly node: string;
  /** The sequence of the first. */
  readonly first: number;
  /** Canonical JSON of each event: the text itself is what was digested, so that no store and no driver changes it. */
  readonly events: readonly string[];
  readonly mac: string;
}

/** Where a chain has come to. */
export interface ChainHead {
  readonly node: string;
  readonly sequence: number;
  readonly hash: string;
}

/** What stands before the first event of a chain. */
export const GENESIS = '0'.repeat(64);

/** The events as the next links of a chain, at their times, and where it has come to by them. */
export function linked(
  head: ChainHead,
  entries: readonly { readonly at: number; readonly entry: AuditEntry }[],
): { readonly lines: string[]; readonly head: ChainHead } {
  const lines: string[] = [];
  let { sequence, hash } = head;
  for (const { at, entry } of entries) {
    sequence += 1;
    const event = {
      ...tidied(entry),
      ...{ at: new Date(at).toISOString(), node: head.node, sequence, previous: hash },
    };
    hash = digestOf(canonical(event));
    lines.push(canonical({ ...event, hash }));
  }
  return { lines, head: { node: head.node, sequence, hash } };
}

/** The event of a line. Undefined where it is not what was put down: its digest differs, or its form. */
export function readLine(line: string): AuditEvent | undefined {
  const event = parsed(line);
  if (event === undefined) return undefined;
  const { hash, ...rest } = event;
  return digestOf(canonical(rest)) === hash && canonical(event) === line ? event : undefined;
}

/** The events of a batch in their order, unproven, without what cannot be read. */
export const eventsOf = ({ events }: AuditBatch): AuditEvent[] =>
  events.map(parsed).filter((event) => event !== undefined);

function parsed(line: string): AuditEvent | undefined {
  try {
    return (JSON.parse(line) as AuditEvent | null) ?? undefined;
  } catch {
    return undefined;
  }
}

export const lastOf = ({ first, events }: AuditBatch): number => first + events.length - 1;

/** Where a chain has come to by a batch, as it says. */
export const headOf = (batch: AuditBatch): ChainHead => ({
  ...{ node: batch.node, sequence: lastOf(batch) },
  hash: String(parsed(batch.events.at(-1) ?? '')?.hash),
});

/** What the mac of a batch is made of: its place, too, so that no batch can be put down again elsewhere. */
const macText = (id: string, { node, first, events }: Omit<AuditBatch, 'mac'>): string =>
  canonical({ kind: 'batch', id, node, first, digest: digestOf(events.join('\n')) });

export const signedBatch = (id: string, batch: Omit<AuditBatch, 'mac'>, macs: Pick<Macs, 'sign'>): AuditBatch => ({
  ...batch,
  mac: macs.sign(macText(id, batch)),
});

export const checkBatch = (id: string, batch: AuditBatch, macs: Pick<Macs, 'check'>): ReturnType<Macs['check']> =>
  macs.check(macText(id, batch), batch.mac);

/** So that of one time, too, the newest comes first in the order of ids. */
const HIGHEST = 9_999_999_999;

/** Begins with when the batch was put down. No event in it is later. */
export const batchId = (at: number, node: string, first: number): string =>
  `${timeKey(at)}-${node}-${String(HIGHEST - first).padStart(10, '0')}`;
