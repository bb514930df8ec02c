import { fieldsBy, RosterFileFault } from './rosterColumns.ts';
import type { RosterSource, SourceLine } from './rosterPorts.ts';
import { type RosterRow, readRosterRow } from './rosterRow.ts';

/** A line of the file, below the one with the columns. */
type ReadRow = { readonly line: number } & ({ readonly row: RosterRow } | { readonly fault: string });

/** The rows of a file in batches, each with its line. `today`: YYYY-MM-DD. Throws RosterFileFault. */
export async function* readRoster(source: RosterSource, today: string): AsyncGenerator<ReadRow[]> {
  let fields: ReturnType<typeof fieldsBy> | undefined;
  for await (const batch of source.read()) {
    let lines = batch;
    if (fields === undefined) {
      const [header, ...rest] = batch;
      if (header === undefined) continue;
      if ('fault' in header) throw new RosterFileFault(`The first line must name the columns: ${header.fault}.`);
      fields = fieldsBy(header.fields);
      lines = rest;
    }
    const known = fields;
    yield lines.map((line) => ({ line: line.number, ...readLine(line, known, today) }));
  }
  if (fields === undefined) throw new RosterFileFault('The file is empty.');
}

function readLine(line: SourceLine, fields: ReturnType<typeof fieldsBy>, today: string) {
  if ('fault' in line) return { fault: line.fault };
  const named = fields(line.fields);
  return named === undefined
    ? { fault: `the line has ${line.fields.length} columns, the first line of the file another number` }
    : readRosterRow(named, today);
}
