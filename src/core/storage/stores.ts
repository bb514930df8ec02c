import type { Account } from '../account/account.ts';
import type { Case } from '../audit/cases.ts';
import type { AuditBatch } from '../audit/chain.ts';
import type { LookupRecord } from '../audit/lookup.ts';
import type { AuditSeal } from '../audit/seals.ts';
import type { TrailRecord } from '../audit/trail.ts';
import type { ClientChange } from '../client/changes.ts';
import type { ClientRecord } from '../client/client.ts';
import type { Consent } from '../consent/consent.ts';
import type { KeyRing } from '../keys/keyRing.ts';
import type { Attempts } from '../lockout/attempts.ts';
import type { RosterRecord } from '../membership/rosterCipher.ts';
import type { Ending } from '../session/everybody.ts';
import type { Staff } from '../staff/staff.ts';
import type { Collection } from './collection.ts';
import type { Expiring } from './expiring.ts';
import type { Schedule } from './schedule.ts';

/** Everything that is kept, on whichever servers. */
export interface Stores {
  readonly accounts: Collection<Account>;
  readonly clients: Collection<ClientRecord>;
  readonly consents: Collection<Consent>;
  readonly keyRings: Collection<KeyRing>;
  readonly roster: Collection<RosterRecord>;
  /** What happened to each account, for its owner to read. */
  readonly trail: Collection<TrailRecord>;
  readonly cases: Collection<Case>;
  readonly staff: Collection<Staff>;
  /** What was changed about each client, the newest first. */
  readonly clientChanges: Collection<ClientChange>;
  /** What is put on record, by the process that did it; only added to. */
  readonly audit: Collection<AuditBatch>;
  readonly auditSeals: Collection<AuditSeal>;
  /** What leads to events by whom and what they are about. */
  readonly auditLookup: Collection<LookupRecord>;
  /** That everybody's sessions were ended. */
  readonly endings: Collection<Ending>;
  readonly expiring: Expiring;
  readonly attempts: Attempts;
  readonly schedule: Schedule;
  /** Messages that have to be sent: it lasts, whatever happens to what expires. */
  readonly outbox: Schedule;
  close(): Promise<void>;
}
