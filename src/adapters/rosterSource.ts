import { createReadStream, statSync } from 'node:fs';
import type { RosterSource, SourceLine } from '../core/membership/rosterPorts.ts';
import { csvFields } from './csvFields.ts';
import { csvLines, type Line } from './csvLines.ts';

/** How far the reading of a file is. It is read several times. */
export interface Reading {
  /** 1 for the first time. */
  readonly pass: number;
  readonly lines: number;
  /** Bytes. */
  readonly read: number;
  readonly size: number;
}

/** The rows of a CSV file. `onRead` hears how far it is. Reading rejects when the file cannot be read. */
export function rosterSource(path: string, onRead: (reading: Reading) => void = () => undefined): RosterSource {
  let pass = 0;
  return {
    async *read() {
      pass += 1;
      let lines = 0;
      const { size } = statSync(path);
      const bytes = createReadStream(path, { highWaterMark: 262_144 });
      for await (const batch of csvLines(bytes)) {
        yield batch.map(parsed);
        lines += batch.length;
        onRead({ pass, lines, read: bytes.bytesRead, size });
      }
    },
  };
}

function parsed(line: Line): SourceLine {
  if ('fault' in line) return line;
  const fields = csvFields(line.text);
  return fields === undefined
    ? { number: line.number, fault: 'the quotes are not closed, or stand in the wrong place' }
    : { number: line.number, fields };
}
