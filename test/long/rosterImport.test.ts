import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createConnection } from 'mongoose';
import { ask } from '../support/command.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { ROSTER_HEADER, rosterRow } from '../support/roster.ts';
import { freshServers, STORE_PAIRS } from '../support/stores.ts';

const ROWS = 1_000_000;
/** One row in so many is a number that was merged into the one before. */
const MERGED_EVERY = 200;
/** MiB, whatever the number of rows. */
const MOST_MEMORY = 512;

interface Report {
  readonly seconds: number;
  readonly rowsPerSecond: number;
  readonly peakMemoryMiB: number;
}

const folder = mkdtempSync(join(tmpdir(), 'roster-'));
const path = join(folder, 'million.csv');
beforeAll(() => pipeline(Readable.from(content()), createWriteStream(path)));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describeOnEveryStore('a roster of a million rows', (pair) => {
  test('is imported in bounded memory, and the same file again changes nothing', async () => {
    const servers = pair === STORE_PAIRS[0] ? undefined : await freshServers();
    const env = {
      DATA_DIR: mkdtempSync(join(folder, 'data-')),
      ...(servers === undefined ? {} : { MONGODB_URI: servers.mongoUri, REDIS_URL: servers.redisUrl }),
    };
    const counts = { rows: ROWS, changed: 0, ended: 0, bad: 0, badRows: [] };
    const first = await ask<Report>(['members', 'import', path, '--whole'], env);
    const again = await ask<Report>(['members', 'import', path, '--whole'], env);
    if (servers !== undefined) {
      const connection = await createConnection(servers.mongoUri).asPromise();
      await connection.dropDatabase();
      await connection.close();
    }
    const told = ({ seconds, rowsPerSecond, peakMemoryMiB }: Report) =>
      `${seconds} s, ${rowsPerSecond} rows a second, ${peakMemoryMiB} MiB`;
    console.info(`${pair.name}: first ${told(first)}; again ${told(again)}`);
    expect(first).toMatchObject({ ...counts, added: ROWS, unchanged: 0 });
    expect(again).toMatchObject({ ...counts, added: 0, unchanged: ROWS });
    expect(Math.max(first.peakMemoryMiB, again.peakMemoryMiB)).toBeLessThan(MOST_MEMORY);
  });
});

function* content(): Generator<string> {
  yield `${ROSTER_HEADER}\n`;
  for (let i = 0; i < ROWS; i += 1_000) {
    yield Array.from({ length: 1_000 }, (_, j) => `${row(i + j)}\n`).join('');
  }
}

const numberOf = (i: number): string => `MHP-${String(i).padStart(7, '0')}`;

function row(i: number): string {
  const merged = i % MERGED_EVERY === MERGED_EVERY - 1 ? { status: 'merged', merged_into: numberOf(i - 1) } : {};
  return rosterRow(numberOf(i), {
    ...{ phone: `+1202555${String(i % 10_000).padStart(4, '0')}`, phone_kind: i % 7 === 0 ? 'landline' : 'mobile' },
    ...{ locale: i % 5 === 0 ? 'es' : 'en', postal_code: String(10_000 + (i % 89_999)), ...merged },
  });
}
