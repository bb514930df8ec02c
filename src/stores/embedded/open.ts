import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../core/clock.ts';
import type { Stores } from '../../core/storage/stores.ts';
import { EmbeddedAttempts } from './attempts.ts';
import { EmbeddedCollection } from './collection.ts';
import { EmbeddedExpiring } from './expiring.ts';
import { EmbeddedSchedule } from './schedule.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS documents (
    collection TEXT, id TEXT, version INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY (collection, id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS claims (
    collection TEXT, claim TEXT, owner TEXT NOT NULL, PRIMARY KEY (collection, claim)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS claims_by_owner ON claims (collection, owner);
  CREATE TABLE IF NOT EXISTS entries (
    key TEXT PRIMARY KEY, value TEXT NOT NULL, version INTEGER NOT NULL, spent_at INTEGER, deadline INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS entries_by_deadline ON entries (deadline);
  CREATE TABLE IF NOT EXISTS members (
    name TEXT, member TEXT, deadline INTEGER NOT NULL, PRIMARY KEY (name, member)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS pools (
    key TEXT PRIMARY KEY, taken INTEGER NOT NULL, next INTEGER NOT NULL, deadline INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS schedule (
    list TEXT, id TEXT, due INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY (list, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS schedule_by_due ON schedule (list, due);
  CREATE INDEX IF NOT EXISTS pools_by_deadline ON pools (deadline);
  CREATE INDEX IF NOT EXISTS members_by_deadline ON members (deadline);
`;

const SWEEP_EVERY_MS = 60_000;

/**
 * The embedded store: one SQLite file, one process. `dataDir` is made if missing; `:memory:` keeps everything in memory.
 * Throws when the file cannot be opened or is no database of ours.
 */
export function openEmbeddedStores(dataDir: string, clock: Clock): Stores {
  const path = dataDir === ':memory:' ? dataDir : fileIn(dataDir);
  const db = new DatabaseSync(path);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000;');
  db.exec(SCHEMA);
  // Members' data: for its owner only, also in a folder that others may enter.
  if (path !== ':memory:') chmodSync(path, 0o600);
  const expiring = new EmbeddedExpiring(db, clock);
  const sweeper = setInterval(() => {
    try {
      expiring.sweep();
    } catch {
      // On a full disk, say; what is over counts for nothing meanwhile, and the next sweep removes it.
    }
  }, SWEEP_EVERY_MS).unref();
  return {
    accounts: new EmbeddedCollection(db, 'accounts'),
    clients: new EmbeddedCollection(db, 'clients'),
    consents: new EmbeddedCollection(db, 'consents'),
    keyRings: new EmbeddedCollection(db, 'keyRings'),
    roster: new EmbeddedCollection(db, 'roster'),
    trail: new EmbeddedCollection(db, 'trail'),
    cases: new EmbeddedCollection(db, 'cases'),
    staff: new EmbeddedCollection(db, 'staff'),
    clientChanges: new EmbeddedCollection(db, 'clientChanges'),
    audit: new EmbeddedCollection(db, 'audit'),
    auditSeals: new EmbeddedCollection(db, 'auditSeals'),
    auditLookup: new EmbeddedCollection(db, 'auditLookup'),
    endings: new EmbeddedCollection(db, 'endings'),
    expiring,
    attempts: new EmbeddedAttempts(db, clock),
    schedule: new EmbeddedSchedule(db, clock),
    outbox: new EmbeddedSchedule(db, clock),
    close: async () => {
      clearInterval(sweeper);
      db.close();
    },
  };
}

function fileIn(dataDir: string): string {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  return join(dataDir, 'store.sqlite');
}
