import type { Model } from 'mongoose';
import { trusted } from 'mongoose';
import type { Clock } from '../../core/clock.ts';
import type { Schedule, ScheduledItem } from '../../core/storage/schedule.ts';
import { askMongo } from './ask.ts';
import type { ScheduledDocument } from './schemas.ts';

/** Scheduled items in MongoDB, for what must outlive Redis. Each item is handed out by an atomic update of its own. */
export class MongoSchedule implements Schedule {
  readonly #items: Model<ScheduledDocument>;
  readonly #clock: Clock;

  constructor(items: Model<ScheduledDocument>, clock: Clock) {
    this.#items = items;
    this.#clock = clock;
  }

  async put(list: string, id: string, due: number, value: object): Promise<void> {
    const fields = { list, id, due, value: JSON.stringify(value) };
    await askMongo(() => this.#items.updateOne({ _id: idOf(list, id) }, { $set: fields }, { upsert: true }).exec());
  }

  async take(list: string, most: number, lease: number): Promise<ScheduledItem[]> {
    const now = this.#clock.now();
    const leasedUntil = now + lease;
    const items: ScheduledItem[] = [];
    while (items.length < most) {
      const due = { list, due: trusted({ $lte: now }) } as object;
      const taken = await askMongo(() =>
        this.#items
          .findOneAndUpdate(due, { $set: { due: leasedUntil } })
          .sort({ due: 1 })
          .lean()
          .exec(),
      );
      if (taken === null) break;
      items.push({ id: taken.id, value: JSON.parse(taken.value), leasedUntil });
    }
    return items;
  }

  async done(list: string, { id, leasedUntil }: ScheduledItem): Promise<void> {
    await askMongo(() => this.#items.deleteOne({ _id: idOf(list, id), due: leasedUntil }).exec());
  }

  async remove(list: string, id: string): Promise<void> {
    await askMongo(() => this.#items.deleteOne({ _id: idOf(list, id) }).exec());
  }
}

const idOf = (list: string, id: string): string => `${list}/${id}`;
