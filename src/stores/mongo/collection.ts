import type { Model } from 'mongoose';
import { mongo, trusted } from 'mongoose';
import type { Clock } from '../../core/clock.ts';
import { type Collection, type InsertOutcome, ORPHAN_CLAIM_AFTER, type Stored } from '../../core/storage/collection.ts';
import { askMongo, isDuplicate } from './ask.ts';
import type { ClaimDocument, Versioned } from './schemas.ts';

/** One collection of lasting documents in MongoDB. Every failure of the server leaves as Unavailable. */
export class MongoCollection<T extends object> implements Collection<T> {
  readonly #model: Model<Versioned<T>>;
  readonly #claims: Model<ClaimDocument>;
  readonly #clock: Clock;

  constructor(model: Model<Versioned<T>>, claims: Model<ClaimDocument>, clock: Clock) {
    this.#model = model;
    this.#claims = claims;
    this.#clock = clock;
  }

  async find(id: string): Promise<Stored<T> | undefined> {
    const document = await askMongo(() => this.#model.findById(id).lean().exec());
    return document === null ? undefined : read(document as Versioned<T>);
  }

  async findMany(ids: readonly string[]): Promise<Stored<T>[]> {
    const among = { _id: trusted({ $in: [...ids] }) } as object;
    const documents = await askMongo(() => this.#model.find(among).lean().exec());
    return documents.map((document) => read(document as Versioned<T>));
  }

  async findByClaim(claim: string): Promise<Stored<T> | undefined> {
    const found = await askMongo(() => this.#claims.findById(this.#claimId(claim)).lean().exec());
    return found === null ? undefined : this.find(found.owner);
  }

  async insert(id: string, value: T, claims: readonly string[] = []): Promise<InsertOutcome> {
    const held: string[] = [];
    for (const claim of claims) {
      if (!(await this.#claim(claim, id))) {
        await this.#release(held, id);
        return 'claim-taken';
      }
      held.push(claim);
    }
    const document = { _id: id, version: 1, value } as Versioned<T>;
    if (await insertedOnce(() => this.#model.create(document))) return 'inserted';
    await this.#release(held, id);
    return 'id-taken';
  }

  async insertMany(documents: readonly { readonly id: string; readonly value: T }[]): Promise<string[]> {
    const all = documents.map(({ id, value }) => ({ _id: id, version: 1, value }) as Versioned<T>);
    try {
      // `lean`: mongoose takes longer to check each document than the server to store it. Nothing is dropped in silence.
      await askMongo(() => this.#model.insertMany(all, { ordered: false, lean: true }));
      return [];
    } catch (error) {
      return takenOf(error).map((index) => all[index]?._id ?? '');
    }
  }

  async replace(id: string, version: number, value: T): Promise<boolean> {
    const result = await askMongo(() =>
      this.#model
        .updateOne({ _id: id, version } as object, { $set: { value, version: version + 1 } } as object, {
          runValidators: true,
        })
        .exec(),
    );
    return result.modifiedCount === 1;
  }

  async all(afterId: string, limit: number): Promise<Stored<T>[]> {
    const later = { _id: trusted({ $gt: afterId }) } as object;
    const documents = await askMongo(() => this.#model.find(later).sort({ _id: 1 }).limit(limit).lean().exec());
    return documents.map((document) => read(document as Versioned<T>));
  }

  /** Takes a claim, or takes over one whose document never came. */
  async #claim(claim: string, owner: string): Promise<boolean> {
    const _id = this.#claimId(claim);
    const at = this.#clock.now();
    if (await insertedOnce(() => this.#claims.create({ _id, owner, at }))) return true;
    const held = await askMongo(() => this.#claims.findById(_id).lean().exec());
    if (held === null || held.at > at - ORPHAN_CLAIM_AFTER) return false;
    if ((await this.find(held.owner)) !== undefined) return false;
    const taken = await askMongo(() =>
      this.#claims.updateOne({ _id, owner: held.owner, at: held.at }, { $set: { owner, at } }).exec(),
    );
    return taken.modifiedCount === 1;
  }

  async #release(claims: readonly string[], owner: string): Promise<void> {
    const ids = claims.map((claim) => this.#claimId(claim));
    await askMongo(() => this.#claims.deleteMany({ _id: trusted({ $in: ids }), owner }).exec());
  }

  #claimId(claim: string): string {
    return `${this.#model.collection.name}/${claim}`;
  }
}

const read = <T>({ _id, version, value }: Versioned<T>): Stored<T> => ({ id: _id, version, value });

/** Runs an insert; false when the id exists already. */
async function insertedOnce(insert: () => Promise<unknown>): Promise<boolean> {
  try {
    await askMongo(insert);
    return true;
  } catch (error) {
    if (isDuplicate(error)) return false;
    throw error;
  }
}

/** The places of the documents whose ids were taken. Throws the error again when it says anything else. */
function takenOf(error: unknown): number[] {
  if (!(error instanceof mongo.MongoBulkWriteError)) throw error;
  const failed = [error.writeErrors].flat();
  if (failed.length === 0 || failed.some(({ code }) => code !== 11_000)) throw error;
  return failed.map(({ index }) => index);
}
