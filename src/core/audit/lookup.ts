import type { Collection, Stored } from '../storage/collection.ts';
import { digestOf } from './canonical.ts';
import { type AuditBatch, eventsOf } from './chain.ts';
import type { AuditAction, AuditEvent } from './event.ts';

/** Under a key and the id of a batch: an event in it is about that. Nothing is proven by it. */
export interface LookupRecord {
  readonly batch: string;
}

const AT_ONCE = 1_000;

const keyOf = (what: string): string => digestOf(what).slice(0, 32);

/** What leads to the events that an account, a client or a person had a part in, and to those of one action. */
export const aboutKey = (id: string): string => keyOf(`about:${id}`);
export const actionKey = (action: AuditAction): string => keyOf(`action:${action}`);

function idsOf({ id, value }: Stored<AuditBatch>): string[] {
  const keys = eventsOf(value).flatMap(({ actor, subject, action }: AuditEvent) => [
    actionKey(action),
    ...(actor?.id === undefined ? [] : [aboutKey(actor.id)]),
    ...(subject === undefined ? [] : [aboutKey(subject.id)]),
  ]);
  return [...new Set(keys)].map((key) => `${key}/${id}`);
}

/** Which batches to look into: in the order of their ids, as `Collection.all` reads. */
export function makeLookup(records: Collection<LookupRecord>) {
  return {
    /** What is listed already stays so. */
    async add(batches: readonly Stored<AuditBatch>[]): Promise<void> {
      const all = batches.flatMap((batch) => idsOf(batch).map((id) => ({ id, value: { batch: batch.id } })));
      for (let i = 0; i < all.length; i += AT_ONCE) await records.insertMany(all.slice(i, i + AT_ONCE));
    },

    async remove(batch: Stored<AuditBatch>): Promise<void> {
      await Promise.all(idsOf(batch).map((id) => records.remove(id, 1)));
    },

    /** The ids of batches after this one. */
    async find(key: string, afterBatch: string, limit: number): Promise<string[]> {
      const found = await records.all(`${key}/${afterBatch}`, limit);
      return found.filter(({ id }) => id.startsWith(`${key}/`)).map(({ value }) => value.batch);
    },
  };
}

export type Lookup = ReturnType<typeof makeLookup>;
