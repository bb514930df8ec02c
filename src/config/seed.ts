import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { enrol } from '../core/account/enrolment.ts';
import type { PasswordHasher } from '../core/account/password.ts';
import type { ClientRecord } from '../core/client/client.ts';
import { newClient } from '../core/client/newClient.ts';
import { type Clock, seconds } from '../core/clock.ts';
import { upsert } from '../core/storage/collection.ts';
import type { Stores } from '../core/storage/stores.ts';
import { ConfigFault } from './fault.ts';
import type { ClientEntry, MemberEntry } from './files.ts';

/**
 * Puts the relying parties of CLIENTS_FILE into the store. An entry that has changed since it was put there last is right, whatever the
 * store says; one that has not leaves alone what administrators have done since: a secret that leaked stays dead, and who was
 * disabled stays so. Throws a ConfigFault that names every unusable one, before any is written.
 */
export async function seedClients(
  { clients }: Stores,
  entries: readonly ClientEntry[],
  faultOf: (record: ClientRecord) => string | undefined,
  clock: Clock,
): Promise<void> {
  const records = entries.map((entry) => seeded(newClient(entry, seconds(clock))));
  const faults = records.flatMap((record) => {
    const fault = faultOf(record);
    return fault === undefined ? [] : [`CLIENTS_FILE: client ${record.metadata.client_id}: ${fault}`];
  });
  if (faults.length > 0) throw new ConfigFault(faults);
  for (const record of records) {
    const id = record.metadata.client_id;
    if ((await clients.find(id))?.value.seededFrom !== record.seededFrom) await upsert(clients, id, record);
  }
}

function seeded(record: ClientRecord): ClientRecord {
  const entry = JSON.stringify([record.metadata, record.secrets.map(({ digest }) => digest)]);
  return { ...record, seededFrom: createHash('sha256').update(entry).digest('base64url') };
}

/**
 * Opens the accounts of MEMBERS_FILE. An account that is there already stays as it is. Throws a ConfigFault that names
 * every member whose email or member number belongs to another.
 */
export async function seedMembers(
  { accounts }: Stores,
  entries: readonly MemberEntry[],
  hasher: PasswordHasher,
  isKnownHash: (phc: string) => boolean,
  clock: Clock,
): Promise<void> {
  const unknown = entries.filter(({ passwordHash }) => passwordHash !== undefined && !isKnownHash(passwordHash));
  const faults = unknown.map(({ username }) => `MEMBERS_FILE: ${username}: the form of the passwordHash is not known`);
  if (faults.length > 0) throw new ConfigFault(faults);
  for (const entry of entries) {
    const open = () => enrol({ accounts, hasher }, randomUUID(), entry, seconds(clock));
    let outcome = await open();
    if (outcome === 'taken') {
      // Another process that starts now may be in the middle of opening the same account.
      await delay(1_000);
      outcome = await open();
    }
    if (outcome === 'taken') {
      faults.push(`MEMBERS_FILE: ${entry.username}: the email or the member number belongs to another account`);
    }
  }
  if (faults.length > 0) throw new ConfigFault(faults);
}
