import type { AuditBatch } from '../../src/core/audit/chain.ts';
import type { AuditEntry, AuditEvent } from '../../src/core/audit/event.ts';
import { everyDocument, type Stored } from '../../src/core/storage/collection.ts';
import type { Stores } from '../../src/core/storage/stores.ts';

/** Every batch on record, the oldest first. */
export async function batchesOf({ audit }: Pick<Stores, 'audit'>): Promise<Stored<AuditBatch>[]> {
  const found: Stored<AuditBatch>[] = [];
  for await (const batch of everyDocument(audit)) found.unshift(batch);
  return found;
}

/** Every event on record, the oldest first. */
export async function recorded(stores: Pick<Stores, 'audit'>): Promise<AuditEvent[]> {
  return (await batchesOf(stores)).flatMap(({ value }) => value.events.map((line) => JSON.parse(line) as AuditEvent));
}

/** What a member does to an account. */
export const entry = (id: string, more: Partial<AuditEntry> = {}): AuditEntry => ({
  ...{ action: 'signed-in', actor: { kind: 'member', id }, subject: { kind: 'account', id } },
  ...more,
});
