import { randomUUID } from 'node:crypto';
import { findBySignInName, openAccount } from '../core/account/account.ts';
import { normalizePassword, type PasswordHash, type PasswordHasher } from '../core/account/password.ts';
import type { ClientMetadata, ClientRecord } from '../core/client/client.ts';
import { digestSecret } from '../core/client/secret.ts';
import { type Clock, seconds } from '../core/clock.ts';
import { upsert } from '../core/storage/collection.ts';
import type { Stores } from '../core/storage/stores.ts';
import { ConfigFault } from './fault.ts';
import type { ClientEntry, MemberEntry } from './files.ts';

/** A relying party of CLIENTS_FILE as it is stored. */
function clientRecord({ client_secret, ...metadata }: ClientEntry, now: number): ClientRecord {
  return {
    metadata: { id_token_signed_response_alg: 'ES256', ...metadata } as ClientMetadata,
    secrets: client_secret === undefined ? [] : [{ digest: digestSecret(client_secret), createdAt: now }],
    disabled: false,
    createdAt: now,
    updatedAt: now,
  };
}

/**
 * Puts the relying parties of CLIENTS_FILE into the store: the file is right, whatever the store said before.
 * Throws a ConfigFault that names every unusable one, before any is written.
 */
export async function seedClients(
  { clients }: Stores,
  entries: readonly ClientEntry[],
  faultOf: (record: ClientRecord) => string | undefined,
  clock: Clock,
): Promise<void> {
  const records = entries.map((entry) => clientRecord(entry, seconds(clock)));
  const faults = records.flatMap((record) => {
    const fault = faultOf(record);
    return fault === undefined ? [] : [`CLIENTS_FILE: client ${record.metadata.client_id}: ${fault}`];
  });
  if (faults.length > 0) throw new ConfigFault(faults);
  for (const record of records) await upsert(clients, record.metadata.client_id, record);
}

/**
 * Opens the accounts of MEMBERS_FILE. An account that is there already stays as it is. Throws a ConfigFault that names
 * every member whose email or member number belongs to another.
 */
export async function seedMembers(
  { accounts }: Stores,
  entries: readonly MemberEntry[],
  hasher: PasswordHasher,
  clock: Clock,
): Promise<void> {
  const faults: string[] = [];
  for (const { password, passwordHash, ...entry } of entries) {
    if ((await findBySignInName(accounts, entry.username)) !== undefined) continue;
    const now = seconds(clock);
    const outcome = await openAccount(accounts, randomUUID(), {
      username: entry.username,
      email: entry.email,
      phone: entry.phone,
      memberNumber: entry.memberNumber,
      firstName: entry.firstName,
      lastName: entry.lastName,
      birthDate: entry.birthDate,
      postalCode: entry.postalCode,
      locale: entry.locale,
      password: await passwordOf(password, passwordHash, hasher),
      ...(entry.passwordMustChange ? { passwordMustChange: true } : {}),
      emailConfirmed: true,
      phoneConfirmed: true,
      deviceEpoch: 0,
      createdAt: now,
      updatedAt: now,
    });
    if (outcome === 'taken') {
      faults.push(`MEMBERS_FILE: ${entry.username}: the email or the member number belongs to another account`);
    }
  }
  if (faults.length > 0) throw new ConfigFault(faults);
}

/** Hashes a password, or takes a hash that another system made as it is. */
async function passwordOf(
  password: string | undefined,
  foreign: string | undefined,
  hasher: PasswordHasher,
): Promise<PasswordHash> {
  if (password !== undefined) return hasher.hash(normalizePassword(password));
  if (foreign !== undefined) return { phc: foreign, pepperId: '' };
  throw new Error('a member has neither a password nor a hash');
}
