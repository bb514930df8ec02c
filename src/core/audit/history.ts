import type { Collection, Stored } from '../storage/collection.ts';
import { timeKey, timeOfId } from '../storage/newestFirst.ts';
import { type AuditBatch, eventsOf } from './chain.ts';
import type { AuditAction, AuditEvent } from './event.ts';
import { aboutKey, actionKey, type Lookup } from './lookup.ts';
import { type AuditSeal, listedFrom } from './seals.ts';

/** What is looked for; all of it has to fit. */
export interface AuditFilter {
  /** Milliseconds since 1970: not before, and before. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly actor?: string | undefined;
  readonly subject?: string | undefined;
  readonly action?: AuditAction | undefined;
}

export interface HistoryDependencies {
  readonly batches: Collection<AuditBatch>;
  readonly seals: Collection<AuditSeal>;
  readonly lookup: Pick<Lookup, 'find'>;
}

interface Page {
  readonly events: AuditEvent[];
  /** What to go on after, where there may be more. */
  readonly more: string | undefined;
}

const AT_ONCE = 200;
/** An event waits for the write before its own: its batch may be later by as much. */
const WRITE_MS = 60_000;

/** Reads what is on record, the newest first. It proves nothing: that is what verifying is for. */
export function history({ batches, seals, lookup }: HistoryDependencies) {
  /** The batches after an id that are not older than `from`, as they stand in the store. */
  async function* everyBatch(after: string, from: number): AsyncGenerator<Stored<AuditBatch>> {
    for (let at = after; ; ) {
      const page = await batches.all(at, AT_ONCE);
      for (const batch of page) {
        if (timeOfId(batch.id) < from) return;
        yield batch;
      }
      const last = page.at(-1);
      if (last === undefined) return;
      at = last.id;
    }
  }

  /** The same by the lookup; what is too new to be listed there is read as it stands. */
  async function* batchesOf(key: string, after: string, from: number): AsyncGenerator<Stored<AuditBatch>> {
    const listed = await listedFrom(seals);
    for await (const batch of everyBatch(after, from)) {
      if (listed !== undefined && batch.id > listed) break;
      yield batch;
    }
    if (listed === undefined) return;
    for (let at = after > listed ? after : listed; ; ) {
      const ids = await lookup.find(key, at, AT_ONCE);
      const last = ids.at(-1);
      if (last === undefined) return;
      const found = (await batches.findMany(ids)).toSorted((a, b) => (a.id < b.id ? -1 : 1));
      for (const batch of found) {
        if (timeOfId(batch.id) < from) return;
        yield batch;
      }
      at = last;
    }
  }

  const startOf = ({ to }: AuditFilter): string => (to === undefined ? '' : timeKey(to + WRITE_MS));

  return {
    /** Up to `limit` events, after the place that an earlier page told. Reads little that does not fit. */
    async find(
      filter: AuditFilter,
      { after = '', limit }: { readonly after?: string; readonly limit: number },
    ): Promise<Page> {
      const { from = 0, actor, subject, action } = filter;
      const [place = '', sequence = ''] = after.split('/');
      const about = subject ?? actor;
      const key = about === undefined ? action && actionKey(action) : aboutKey(about);
      // The batch itself, of which a part was read.
      const start = place === '' ? startOf(filter) : place.slice(0, -1);
      const all = key === undefined ? everyBatch(start, from) : batchesOf(key, start, from);
      const events: AuditEvent[] = [];
      for await (const { id, value } of all) {
        for (const event of eventsOf(value).toReversed()) {
          const isRead = id < place || (id === place && event.sequence >= Number(sequence));
          if (isRead || !fits(filter, event)) continue;
          events.push(event);
          if (events.length === limit) return { events, more: `${id}/${event.sequence}` };
        }
      }
      return { events, more: undefined };
    },

    /** All that fits, also what no lookup lists. */
    async *every(filter: AuditFilter): AsyncGenerator<AuditEvent> {
      for await (const { value } of everyBatch(startOf(filter), filter.from ?? 0))
        for (const event of eventsOf(value).toReversed()) if (fits(filter, event)) yield event;
    },
  };
}

function fits({ from = 0, to = Number.POSITIVE_INFINITY, actor, subject, action }: AuditFilter, event: AuditEvent) {
  const at = Date.parse(event.at);
  if (at < from || at >= to) return false;
  if (actor !== undefined && event.actor?.id !== actor) return false;
  if (subject !== undefined && event.subject?.id !== subject) return false;
  return action === undefined || event.action === action;
}
