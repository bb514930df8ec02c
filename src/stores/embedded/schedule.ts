import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '../../core/clock.ts';
import type { Schedule, ScheduledItem } from '../../core/storage/schedule.ts';

/** Scheduled items in the embedded database. */
export class EmbeddedSchedule implements Schedule {
  readonly #clock: Clock;
  readonly #put: StatementSync;
  readonly #take: StatementSync;
  readonly #done: StatementSync;
  readonly #remove: StatementSync;

  constructor(db: DatabaseSync, clock: Clock) {
    this.#clock = clock;
    this.#put = db.prepare(
      `INSERT INTO schedule (list, id, due, value) VALUES (?, ?, ?, ?)
       ON CONFLICT (list, id) DO UPDATE SET due = excluded.due, value = excluded.value`,
    );
    this.#take = db.prepare(
      `UPDATE schedule SET due = ?4 WHERE list = ?1 AND id IN
         (SELECT id FROM schedule WHERE list = ?1 AND due <= ?2 ORDER BY due LIMIT ?3)
       RETURNING id, value`,
    );
    this.#done = db.prepare('DELETE FROM schedule WHERE list = ? AND id = ? AND due = ?');
    this.#remove = db.prepare('DELETE FROM schedule WHERE list = ? AND id = ?');
  }

  async put(list: string, id: string, due: number, value: object): Promise<void> {
    this.#put.run(list, id, due, JSON.stringify(value));
  }

  async take(list: string, most: number, lease: number): Promise<ScheduledItem[]> {
    const now = this.#clock.now();
    const leasedUntil = now + lease;
    const rows = this.#take.all(list, now, most, leasedUntil) as unknown as { id: string; value: string }[];
    return rows.map(({ id, value }) => ({ id, value: JSON.parse(value), leasedUntil }));
  }

  async done(list: string, { id, leasedUntil }: ScheduledItem): Promise<void> {
    this.#done.run(list, id, leasedUntil);
  }

  async remove(list: string, id: string): Promise<void> {
    this.#remove.run(list, id);
  }
}
