import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ClaimsChange, Collection, InsertOutcome, ReplaceOutcome, Stored } from '../../core/storage/collection.ts';

interface DocumentRow {
  id: string;
  version: number;
  value: string;
}

/** One collection of lasting documents in the embedded database. */
export class EmbeddedCollection<T extends object> implements Collection<T> {
  readonly #db: DatabaseSync;
  readonly #name: string;
  readonly #find: StatementSync;
  readonly #findMany: StatementSync;
  readonly #findByClaim: StatementSync;
  readonly #insert: StatementSync;
  readonly #claim: StatementSync;
  readonly #release: StatementSync;
  readonly #releaseAll: StatementSync;
  readonly #replace: StatementSync;
  readonly #remove: StatementSync;
  readonly #all: StatementSync;

  constructor(db: DatabaseSync, name: string) {
    this.#db = db;
    this.#name = name;
    this.#find = db.prepare('SELECT id, version, value FROM documents WHERE collection = ? AND id = ?');
    this.#findMany = db.prepare(
      'SELECT id, version, value FROM documents WHERE collection = ? AND id IN (SELECT value FROM json_each(?))',
    );
    this.#findByClaim = db.prepare(
      `SELECT d.id, d.version, d.value FROM claims c JOIN documents d ON d.collection = c.collection AND d.id = c.owner
       WHERE c.collection = ? AND c.claim = ?`,
    );
    this.#insert = db.prepare(
      'INSERT INTO documents (collection, id, version, value) VALUES (?, ?, 1, ?) ON CONFLICT DO NOTHING',
    );
    this.#claim = db.prepare('INSERT INTO claims (collection, claim, owner) VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
    this.#release = db.prepare('DELETE FROM claims WHERE collection = ? AND claim = ? AND owner = ?');
    this.#releaseAll = db.prepare('DELETE FROM claims WHERE collection = ? AND owner = ?');
    this.#replace = db.prepare(
      'UPDATE documents SET value = ?, version = version + 1 WHERE collection = ? AND id = ? AND version = ?',
    );
    this.#remove = db.prepare('DELETE FROM documents WHERE collection = ? AND id = ? AND version = ?');
    this.#all = db.prepare(
      'SELECT id, version, value FROM documents WHERE collection = ? AND id > ? ORDER BY id LIMIT ?',
    );
  }

  async find(id: string): Promise<Stored<T> | undefined> {
    return readAny(this.#find.get(this.#name, id));
  }

  async findMany(ids: readonly string[]): Promise<Stored<T>[]> {
    return this.#findMany.all(this.#name, JSON.stringify(ids)).map((row) => read(row));
  }

  async findByClaim(claim: string): Promise<Stored<T> | undefined> {
    return readAny(this.#findByClaim.get(this.#name, claim));
  }

  async insert(id: string, value: T, claims: readonly string[] = []): Promise<InsertOutcome> {
    return this.#atOnce(
      () => this.#tryInsert(id, value, claims),
      (outcome) => outcome === 'inserted',
    );
  }

  async insertMany(documents: readonly { readonly id: string; readonly value: T }[]): Promise<string[]> {
    const taken = () => documents.filter(({ id, value }) => this.#tryInsert(id, value, []) === 'id-taken');
    return this.#atOnce(taken).map(({ id }) => id);
  }

  async replace(id: string, version: number, value: T): Promise<boolean> {
    return this.#replace.run(JSON.stringify(value), this.#name, id, version).changes === 1;
  }

  async replaceWithClaims(id: string, version: number, value: T, change: ClaimsChange): Promise<ReplaceOutcome> {
    return this.#atOnce(
      () => this.#tryReplace(id, version, value, change),
      (outcome) => outcome === 'replaced',
    );
  }

  async remove(id: string, version: number): Promise<boolean> {
    return this.#atOnce(() => {
      const isGone = this.#remove.run(this.#name, id, version).changes === 1;
      if (isGone) this.#releaseAll.run(this.#name, id);
      return isGone;
    });
  }

  async all(afterId: string, limit: number): Promise<Stored<T>[]> {
    return this.#all.all(this.#name, afterId, limit).map((row) => read(row));
  }

  /** Does it in one transaction, which is kept unless the answer says otherwise. */
  #atOnce<Answer>(work: () => Answer, keeps: (answer: Answer) => boolean = () => true): Answer {
    this.#db.exec('BEGIN IMMEDIATE');
    let kept = false;
    try {
      const answer = work();
      kept = keeps(answer);
      return answer;
    } finally {
      this.#db.exec(kept ? 'COMMIT' : 'ROLLBACK');
    }
  }

  #tryInsert(id: string, value: T, claims: readonly string[]): InsertOutcome {
    if (this.#insert.run(this.#name, id, JSON.stringify(value)).changes === 0) return 'id-taken';
    const free = claims.every((claim) => this.#claim.run(this.#name, claim, id).changes === 1);
    return free ? 'inserted' : 'claim-taken';
  }

  #tryReplace(id: string, version: number, value: T, { take = [], release = [] }: ClaimsChange): ReplaceOutcome {
    if (this.#replace.run(JSON.stringify(value), this.#name, id, version).changes === 0) return 'moved-on';
    for (const claim of release) this.#release.run(this.#name, claim, id);
    for (const claim of take) this.#claim.run(this.#name, claim, id);
    const holds = (claim: string) => readAny(this.#findByClaim.get(this.#name, claim))?.id === id;
    return take.every(holds) ? 'replaced' : 'claim-taken';
  }
}

const readAny = <T>(row: unknown): Stored<T> | undefined => (row === undefined ? undefined : read(row));

function read<T>(row: unknown): Stored<T> {
  const { id, version, value } = row as DocumentRow;
  return { id, version, value: JSON.parse(value) };
}
