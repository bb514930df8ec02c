/**
 * What must last: one document per id, with a version for compare-and-swap and claims for uniqueness.
 *
 * A claim is a value that one document of the collection may hold, such as a sign-in name. It is a record of its own
 * whose key is the value, so that no store needs a multi-document transaction to keep it unique.
 */
export interface Collection<T extends object> {
  /** The document with this id, or undefined. */
  find(id: string): Promise<Stored<T> | undefined>;

  /** The document that holds this claim, or undefined. */
  findByClaim(claim: string): Promise<Stored<T> | undefined>;

  /** Those of the documents with these ids that there are, in any order. Up to 1,000 ids are one trip. */
  findMany(ids: readonly string[]): Promise<Stored<T>[]>;

  /** Stores a new document together with its claims: all of them, or nothing. */
  insert(id: string, value: T, claims?: readonly string[]): Promise<InsertOutcome>;

  /**
   * Stores new documents that hold no claims; up to 1,000 are one trip. Answers with the ids that were taken already:
   * these documents stay as they are, the others are stored.
   */
  insertMany(documents: readonly { readonly id: string; readonly value: T }[]): Promise<string[]>;

  /** Replaces the document if it still has this version. False when it has moved on or is gone. */
  replace(id: string, version: number, value: T): Promise<boolean>;

  /**
   * The same together with a change of its claims: all of it, or nothing. A claim that is taken for a change that fails
   * may stay with the document for as long as an orphan does; it is not found by it meanwhile.
   */
  replaceWithClaims(id: string, version: number, value: T, claims: ClaimsChange): Promise<ReplaceOutcome>;

  /** Removes the document if it still has this version, and sets its claims free. False when it has moved on or is gone. */
  remove(id: string, version: number): Promise<boolean>;

  /** Up to `limit` documents whose ids come after this one, in the order of their UTF-8 bytes. Begins with ''. */
  all(afterId: string, limit: number): Promise<Stored<T>[]>;
}

/** A document as it stands in the store. `version` starts at 1 and grows by one with each replacement. */
export interface Stored<T> {
  readonly id: string;
  readonly version: number;
  readonly value: T;
}

export type InsertOutcome = 'inserted' | 'id-taken' | 'claim-taken';

/** Which claims a document gets and gives up. What it holds already and what it does not hold may be among them. */
export interface ClaimsChange {
  readonly take?: readonly string[];
  readonly release?: readonly string[];
}

/** `moved-on`: also when it is gone. `claim-taken`: another document holds one of the claims. */
export type ReplaceOutcome = 'replaced' | 'moved-on' | 'claim-taken';

/**
 * A claim that its document does not hold, because a writer died before it wrote the document or before it set the claim
 * free, may be taken over after this many milliseconds.
 */
export const ORPHAN_CLAIM_AFTER = 60_000;

/**
 * Writes the document whatever stands there now; for records that are re-read from a file at each start.
 * Gives up after five lost races.
 */
export async function upsert<T extends object>(collection: Collection<T>, id: string, value: T): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const current = await collection.find(id);
    if (current === undefined) {
      if ((await collection.insert(id, value)) === 'inserted') return;
    } else if (await collection.replace(id, current.version, value)) return;
  }
  throw new Error(`the document ${id} changes too often to be written`);
}

/**
 * Replaces the document by what `to` makes of it, and looks again where another writer was faster; where `to` answers with
 * undefined, it stays. Returns what stands there then; undefined when there is none.
 */
export async function change<T extends object>(
  collection: Collection<T>,
  id: string,
  to: (value: T) => T | undefined | Promise<T | undefined>,
): Promise<T | undefined> {
  for (;;) {
    const stored = await collection.find(id);
    if (stored === undefined) return undefined;
    const changed = await to(stored.value);
    if (changed === undefined) return stored.value;
    if (await collection.replace(id, stored.version, changed)) return changed;
  }
}

/** Every document of the collection, in the order of their ids. */
export async function* everyDocument<T extends object>(
  collection: Collection<T>,
  batch = 500,
): AsyncGenerator<Stored<T>> {
  let after = '';
  for (;;) {
    const documents = await collection.all(after, batch);
    yield* documents;
    const last = documents.at(-1);
    if (last === undefined) return;
    after = last.id;
  }
}
