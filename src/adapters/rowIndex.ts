import { DatabaseSync } from 'node:sqlite';
import type { IndexedRow, RowIndex } from '../core/membership/rosterPorts.ts';

/** KiB of the index that are kept in memory. */
const CACHE = 32_768;

interface Indexed {
  readonly id: string;
  readonly line: number;
  /** JSON; empty for a row that is no merge. */
  readonly merge: string;
}

/**
 * The index of a roster's rows in a nameless temporary file, which goes with its process: memory stays bounded, however
 * many rows there are.
 */
export function temporaryRowIndex(): RowIndex {
  const db = new DatabaseSync('');
  db.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE; PRAGMA cache_size = -${CACHE};
    CREATE TABLE rows (id TEXT PRIMARY KEY, line INTEGER NOT NULL, merge TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE INDEX merges ON rows (id) WHERE merge != '';
    BEGIN`);
  const add = db.prepare('INSERT INTO rows VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
  const find = db.prepare('SELECT id, line, merge FROM rows WHERE id = ?');
  const remove = db.prepare('DELETE FROM rows WHERE id = ?');
  const merges = db.prepare("SELECT id, line, merge FROM rows WHERE merge != '' AND id > ? ORDER BY id LIMIT ?");
  return {
    add: (id, line, merge) => add.run(id, line, merge === undefined ? '' : JSON.stringify(merge)).changes === 1,
    find(id) {
      const row = find.get(id);
      return row === undefined ? undefined : read(row);
    },
    remove: (id) => void remove.run(id),
    merges: (afterId, limit) => merges.all(afterId, limit).map(read),
    close: () => db.close(),
  };
}

function read(row: object): IndexedRow {
  const { id, line, merge } = row as Indexed;
  return { id, line, merge: merge === '' ? undefined : JSON.parse(merge) };
}
