import type { Merge } from './rosterRow.ts';

/** A line of a roster file; `number` counts from 1. */
export type SourceLine = { readonly number: number } & (
  | { readonly fields: readonly string[] }
  | { readonly fault: string }
);

/** A roster file. It is read from its beginning each time, in batches as they come. */
export interface RosterSource {
  read(): AsyncIterable<readonly SourceLine[]>;
}

export interface IndexedRow {
  readonly id: string;
  readonly line: number;
  readonly merge: Merge | undefined;
}

/** Which numbers the good rows of a file have, by the ids of their records; for more rows than memory holds. */
export interface RowIndex {
  /** False when the id is there already. */
  add(id: string, line: number, merge?: Merge): boolean;
  find(id: string): IndexedRow | undefined;
  remove(id: string): void;
  /** Up to `limit` merges whose ids come after this one, in their order. */
  merges(afterId: string, limit: number): readonly IndexedRow[];
  close(): void;
}
