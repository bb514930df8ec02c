import type { Model } from 'mongoose';
import { mongo, trusted } from 'mongoose';
import type { Clock } from '../../core/clock.ts';
import {
  type ClaimsChange,
  type Collection,
  type InsertOutcome,
  ORPHAN_CLAIM_AFTER,
  type ReplaceOutcome,
  type Stored,
} from '../../core/storage/collection.ts';
import { Unavailable } from '../../core/storage/unavailable.ts';
import { askMongo, isDuplicate } from './ask.ts';
import type { ClaimDocument, Versioned } from './schemas.ts';

/**
 * One collection of lasting documents in MongoDB. Every failure of the server leaves as Unavailable.
 *
 * A claim is held when it names its owner and the owner's document lists it. Without transactions the order of the writes
 * keeps it so, wherever a writer dies: claims are taken first, then the document is written with its list, then what the list
 * no longer has is released. A claim says for which version of its owner it was taken, so that who is late with a release
 * does not release what a later version has taken again.
 */
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
    const document = await this.#document(id);
    return document && stored(document);
  }

  async findMany(ids: readonly string[]): Promise<Stored<T>[]> {
    const among = { _id: trusted({ $in: [...ids] }) } as object;
    const documents = await askMongo(() => this.#model.find(among).lean().exec());
    return documents.map((document) => stored(document as Versioned<T>));
  }

  async findByClaim(claim: string): Promise<Stored<T> | undefined> {
    const found = await read(this.#claims, this.#claimId(claim));
    const holder = found && (await this.#holder(claim, found));
    return holder && stored(holder);
  }

  async insert(id: string, value: T, claims: readonly string[] = []): Promise<InsertOutcome> {
    const held: string[] = [];
    for (const claim of claims) {
      if (!(await this.#take(claim, id, 1))) {
        await this.#release(held, id, 1);
        return 'claim-taken';
      }
      held.push(claim);
    }
    const document: Versioned<T> = { _id: id, version: 1, value, claims: held };
    if (await insertedOnce(() => this.#model.create(document))) return 'inserted';
    await this.#release(held, id, 1);
    return 'id-taken';
  }

  async insertMany(documents: readonly { readonly id: string; readonly value: T }[]): Promise<string[]> {
    const all = documents.map(({ id, value }) => ({ _id: id, version: 1, value, claims: [] }));
    try {
      // `lean`: mongoose takes longer to check each document than the server to store it. Nothing is dropped in silence.
      await askMongo(() => this.#model.insertMany(all, { ordered: false, lean: true }));
      return [];
    } catch (error) {
      return takenOf(error).map((index) => all[index]?._id ?? '');
    }
  }

  async replace(id: string, version: number, value: T): Promise<boolean> {
    return this.#write(id, version, { value });
  }

  async replaceWithClaims(id: string, version: number, value: T, change: ClaimsChange): Promise<ReplaceOutcome> {
    const { take = [], release = [] } = change;
    const document = await this.#document(id);
    if (document?.version !== version) return 'moved-on';
    const held = document.claims ?? (await this.#unlisted(id));
    const next = version + 1;
    for (const claim of take) {
      if (!held.includes(claim) && !(await this.#take(claim, id, next))) return 'claim-taken';
    }
    const claims = [...new Set([...held.filter((claim) => !release.includes(claim)), ...take])];
    // Who loses here leaves what it took: the winner may rely on the same claims.
    if (!(await this.#write(id, version, { value, claims }))) return 'moved-on';
    const over = release.filter((claim) => !claims.includes(claim));
    await this.#release(over, id, next).catch(toleratedAsOrphans);
    return 'replaced';
  }

  async remove(id: string, version: number): Promise<boolean> {
    const same = { _id: id, version } as object;
    const gone = await askMongo(() => this.#model.findOneAndDelete(same).lean().exec());
    if (gone === null) return false;
    const over = (gone as Versioned<T>).claims ?? (await this.#unlisted(id));
    await this.#release(over, id, version).catch(toleratedAsOrphans);
    return true;
  }

  async all(afterId: string, limit: number): Promise<Stored<T>[]> {
    const later = { _id: trusted({ $gt: afterId }) } as object;
    const documents = await askMongo(() => this.#model.find(later).sort({ _id: 1 }).limit(limit).lean().exec());
    return documents.map((document) => stored(document as Versioned<T>));
  }

  #document(id: string): Promise<Versioned<T> | undefined> {
    return read(this.#model, id);
  }

  /** Writes the next version of a document if it still has this one. */
  async #write(id: string, version: number, parts: Partial<Versioned<T>>): Promise<boolean> {
    const update = { $set: { ...parts, version: version + 1 } } as object;
    const result = await askMongo(() =>
      this.#model.updateOne({ _id: id, version } as object, update, { runValidators: true }).exec(),
    );
    return result.modifiedCount === 1;
  }

  /** The document that holds a claim: its owner, if it lists it. */
  async #holder(claim: string, { owner, since }: ClaimDocument): Promise<Versioned<T> | undefined> {
    const document = await this.#document(owner);
    return (document?.claims?.includes(claim) ?? since === undefined) ? document : undefined;
  }

  /** What a document holds that was written before documents had lists. Looks through all claims of the collection. */
  async #unlisted(owner: string): Promise<string[]> {
    const prefix = this.#claimId('');
    const ofThatTime = { _id: new RegExp(`^${prefix}`), owner, since: trusted({ $exists: false }) };
    const claims = await askMongo(() => this.#claims.find(ofThatTime).lean().exec());
    return claims.map(({ _id }) => _id.slice(prefix.length));
  }

  /** Takes a claim for this version of its owner: one that is free, the owner's own already, or an orphan. */
  async #take(claim: string, owner: string, since: number): Promise<boolean> {
    const _id = this.#claimId(claim);
    const at = this.#clock.now();
    if (await insertedOnce(() => this.#claims.create({ _id, owner, since, at }))) return true;
    const found = await read(this.#claims, _id);
    if (found === undefined) return this.#take(claim, owner, since);
    // A new document has nothing of its own yet: what stands under its id is another insert's, which may still succeed.
    const isOwn = found.owner === owner && since > 1;
    const isFresh = found.at > at - ORPHAN_CLAIM_AFTER;
    if (!isOwn && (isFresh || (await this.#holder(claim, found)) !== undefined)) return false;
    const same = { _id, owner: found.owner, at: found.at };
    const taken = isOwn ? { $set: { at }, $max: { since } } : { $set: { owner, since, at } };
    const result = await askMongo(() => this.#claims.updateOne(same, taken).exec());
    return result.matchedCount === 1 || this.#take(claim, owner, since);
  }

  /** Sets claims free, but for those that were taken for a later version of their owner than this. */
  async #release(claims: readonly string[], owner: string, version: number): Promise<void> {
    if (claims.length === 0) return;
    const ids = claims.map((claim) => this.#claimId(claim));
    const notLater = { since: trusted({ $not: { $gt: version } }) };
    await askMongo(() => this.#claims.deleteMany({ _id: trusted({ $in: ids }), owner, ...notLater }).exec());
  }

  #claimId(claim: string): string {
    return `${this.#model.collection.name}/${claim}`;
  }
}

/** What was written stands: claims that could not be released after it are orphans, and free in a while by themselves. */
function toleratedAsOrphans(error: unknown): void {
  if (!(error instanceof Unavailable)) throw error;
}

const stored = <T>({ _id, version, value }: Versioned<T>): Stored<T> => ({ id: _id, version, value });

/** Reads a document past mongoose, which takes longer over the question than the server over the answer. The id is a text: no operator. */
async function read<Document extends { _id: string }>(
  model: Model<Document>,
  id: string,
): Promise<Document | undefined> {
  const document = await askMongo(() => model.collection.findOne({ _id: String(id) as never }));
  return document === null ? undefined : (document as unknown as Document);
}

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
