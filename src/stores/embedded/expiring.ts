import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '../../core/clock.ts';
import type { Entry, Expiring } from '../../core/storage/expiring.ts';

interface EntryRow {
  value: string;
  version: number;
  spent_at: number | null;
}

/** Expiring values in the embedded database. Nothing runs between the statements of one call. */
export class EmbeddedExpiring implements Expiring {
  readonly #clock: Clock;
  readonly #get: StatementSync;
  readonly #put: StatementSync;
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  readonly #spend: StatementSync;
  readonly #remove: StatementSync;
  readonly #removeSet: StatementSync;
  readonly #join: StatementSync;
  readonly #members: StatementSync;
  readonly #sweeps: readonly StatementSync[];

  constructor(db: DatabaseSync, clock: Clock) {
    this.#clock = clock;
    this.#get = db.prepare('SELECT value, version, spent_at FROM entries WHERE key = ? AND deadline > ?');
    this.#put = db.prepare(
      `INSERT INTO entries (key, value, version, spent_at, deadline) VALUES (?, ?, 1, NULL, ?)
       ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = 1, spent_at = NULL, deadline = excluded.deadline
       WHERE spent_at IS NULL OR deadline <= ?`,
    );
    this.#insert = db.prepare(
      `INSERT INTO entries (key, value, version, spent_at, deadline) VALUES (?, ?, 1, NULL, ?)
       ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = 1, spent_at = NULL, deadline = excluded.deadline
       WHERE deadline <= ?`,
    );
    this.#update = db.prepare(
      `UPDATE entries SET value = ?, version = version + 1, deadline = ?
       WHERE key = ? AND version = ? AND deadline > ? AND spent_at IS NULL`,
    );
    this.#spend = db.prepare('UPDATE entries SET spent_at = ? WHERE key = ? AND spent_at IS NULL AND deadline > ?');
    this.#remove = db.prepare('DELETE FROM entries WHERE key = ?');
    this.#removeSet = db.prepare('DELETE FROM members WHERE name = ?');
    this.#join = db.prepare(
      `INSERT INTO members (name, member, deadline) VALUES (?, ?, ?)
       ON CONFLICT (name, member) DO UPDATE SET deadline = excluded.deadline`,
    );
    this.#members = db.prepare('SELECT member FROM members WHERE name = ? AND deadline > ?');
    this.#sweeps = [
      db.prepare('DELETE FROM entries WHERE deadline <= ?'),
      db.prepare('DELETE FROM members WHERE deadline <= ?'),
      db.prepare('DELETE FROM pools WHERE deadline <= ?'),
    ];
  }

  async get(key: string): Promise<Entry | undefined> {
    const row = this.#get.get(key, this.#clock.now()) as EntryRow | undefined;
    if (row === undefined) return undefined;
    return {
      value: JSON.parse(row.value),
      version: row.version,
      ...(row.spent_at === null ? {} : { spentAt: row.spent_at }),
    };
  }

  async put(key: string, value: object, deadline: number): Promise<boolean> {
    return this.#put.run(key, JSON.stringify(value), deadline, this.#clock.now()).changes === 1;
  }

  async swap(key: string, version: number, value: object, deadline: number): Promise<boolean> {
    const json = JSON.stringify(value);
    const now = this.#clock.now();
    const result =
      version === 0 ? this.#insert.run(key, json, deadline, now) : this.#update.run(json, deadline, key, version, now);
    return result.changes === 1;
  }

  async spend(key: string, at: number): Promise<boolean> {
    return this.#spend.run(at, key, this.#clock.now()).changes === 1;
  }

  async remove(key: string): Promise<boolean> {
    const [entry, set] = [this.#remove.run(key), this.#removeSet.run(key)];
    return Number(entry.changes) + Number(set.changes) > 0;
  }

  async join(set: string, member: string, deadline: number): Promise<void> {
    this.#join.run(set, member, deadline);
  }

  async members(set: string): Promise<string[]> {
    const rows = this.#members.all(set, this.#clock.now()) as unknown as { member: string }[];
    return rows.map((row) => row.member);
  }

  /** Throws away what is past its deadline. Nothing depends on it but the size of the file. */
  sweep(): void {
    for (const statement of this.#sweeps) statement.run(this.#clock.now());
  }
}
