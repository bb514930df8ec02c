import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '../../core/clock.ts';
import {
  type Attempts,
  giveBackTo,
  type PoolRule,
  type PoolState,
  type Taken,
  takeFrom,
} from '../../core/lockout/attempts.ts';

/** Pools of attempts in the embedded database. Between its statements no other runs, because SQLite is synchronous. */
export class EmbeddedAttempts implements Attempts {
  readonly #clock: Clock;
  readonly #find: StatementSync;
  readonly #write: StatementSync;
  readonly #clear: StatementSync;

  constructor(db: DatabaseSync, clock: Clock) {
    this.#clock = clock;
    this.#find = db.prepare('SELECT taken, next, deadline FROM pools WHERE key = ?');
    this.#write = db.prepare('INSERT OR REPLACE INTO pools (key, taken, next, deadline) VALUES (?, ?, ?, ?)');
    this.#clear = db.prepare('DELETE FROM pools WHERE key = ?');
  }

  async take(key: string, rule: PoolRule): Promise<Taken> {
    const { state, ...answer } = takeFrom(this.#read(key), rule, this.#clock.now());
    if (state !== undefined) this.#save(key, state);
    return answer;
  }

  async giveBack(key: string, rule: PoolRule): Promise<void> {
    const state = this.#read(key);
    if (state !== undefined) this.#save(key, giveBackTo(state, rule));
  }

  async clear(key: string): Promise<void> {
    this.#clear.run(key);
  }

  #read(key: string): PoolState | undefined {
    return this.#find.get(key) as PoolState | undefined;
  }

  #save(key: string, { taken, next, deadline }: PoolState): void {
    this.#write.run(key, taken, next, deadline);
  }
}
