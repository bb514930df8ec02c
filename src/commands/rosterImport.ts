import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { rosterSource } from '../adapters/rosterSource.ts';
import { temporaryRowIndex } from '../adapters/rowIndex.ts';
import { planEndingOf } from '../core/membership/endings.ts';
import { RosterFileFault } from '../core/membership/rosterColumns.ts';
import { type Taken, takeRoster } from '../core/membership/rosterImport.ts';
import { type BadRow, judgeRoster, type Verdict } from '../core/membership/rosterJudge.ts';
import { rosterOf, todayOf } from '../parts.ts';
import { wordsOf } from '../startFault.ts';
import { progressBar } from './progress.ts';
import { type Answer, type Ground, Misuse, Refused } from './run.ts';

export interface RosterImport {
  readonly path: string;
  readonly dryRun: boolean;
  /** The good rows are taken also where others are bad. */
  readonly partial: boolean;
  /** Memberships that are not in the file end. */
  readonly whole: boolean;
}

/** Bad rows that the JSON document lists; the error stream has all. */
const MOST_LISTED = 1_000;

const NOTHING: Taken = { added: 0, changed: 0, ended: 0, unchanged: 0 };

/** Brings the roster to what a CSV file says: looks at every row first, and then writes. */
export async function importRoster(
  { path, dryRun, partial, whole }: RosterImport,
  open: () => Promise<Ground>,
  say: (line: string) => void,
): Promise<Answer> {
  demandReadable(path);
  const { config, secrets, stores, clock, audit } = await open();
  let began = performance.now();
  const today = todayOf(config, clock);
  const onChange = planEndingOf({ accounts: stores.accounts, schedule: stores.outbox, clock });
  const roster = { ...rosterOf(secrets, stores), onChange };
  const bar = progressBar(['Looking', dryRun ? 'Comparing' : 'Writing']);
  const source = rosterSource(path, bar.show);
  const index = temporaryRowIndex();
  const listed: BadRow[] = [];
  try {
    const verdict = await judgeRoster(source, roster, index, today, (row) => {
      if (listed.length < MOST_LISTED) listed.push(row);
      bar.clear();
      say(`${path}: ${row.line}: ${row.reason}.`);
    });
    bar.clear();
    if (whole && verdict.good === 0) throw new Refused('The file has no good rows: with --whole all memberships end.');
    if (whole && verdict.bad > 0) say('Note: no membership ends, because it may be that of a bad row.');
    const looked = performance.now();
    const takes = verdict.bad === 0 || dryRun || partial || (await isWanted(verdict));
    // The time that a person took to answer is none of ours.
    began += performance.now() - looked;
    const ways = { today, dryRun, whole: whole && verdict.bad === 0 };
    const taken = takes ? await takeRoster(source, roster, index, ways) : NOTHING;
    bar.clear();
    if (takes && !dryRun) await audit.record({ action: 'roster-imported', detail: { ...taken, bad: verdict.bad } });
    return answer(verdict, taken, { dryRun, takes, listed, took: (performance.now() - began) / 1_000 });
  } catch (error) {
    if (error instanceof RosterFileFault) throw new Misuse(`${path}: ${error.message}`);
    throw error;
  } finally {
    index.close();
  }
}

function demandReadable(path: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw new Misuse(`${path} cannot be read (${wordsOf(error)}).`);
  }
}

/** Asks a person at a terminal; there is nobody else who could say yes. */
async function isWanted({ good, bad }: Verdict): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY || good === 0) return false;
  // Not `terminal`: that would keep Ctrl-C to itself.
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  try {
    const answered = lines.question(`${bad} rows are bad. Take the other ${good}? [y/N] `);
    const typed = await Promise.race([answered, once(lines, 'close').then(() => 'no')]);
    return /^y(?:es)?$/i.test(typed.trim());
  } finally {
    lines.close();
  }
}

interface Circumstances {
  readonly dryRun: boolean;
  readonly takes: boolean;
  readonly listed: readonly BadRow[];
  /** Seconds. */
  readonly took: number;
}

function answer({ good, bad }: Verdict, taken: Taken, { dryRun, takes, listed, took }: Circumstances): Answer {
  const rows = good + bad;
  const seconds = Math.round(took * 10) / 10;
  const rowsPerSecond = Math.round(rows / took);
  // Kibibytes.
  const peakMemoryMiB = Math.ceil(process.resourceUsage().maxRSS / 1024);
  const would = dryRun ? 'would be ' : '';
  const { added, changed, ended, unchanged } = taken;
  return {
    json: {
      ...{ dryRun, rows, ...taken, bad, badRows: listed.toSorted((a, b) => a.line - b.line) },
      ...{ seconds, rowsPerSecond, peakMemoryMiB },
    },
    lines: [
      `${added} ${would}added, ${changed} ${would}changed, ${ended} ${would}ended, ${unchanged} unchanged, ${bad} bad.`,
      ...(takes ? [] : ['Nothing was taken. Mend the bad rows, or take the good ones with --partial.']),
      `${rows} rows in ${seconds} s, ${rowsPerSecond} a second, with ${peakMemoryMiB} MiB of memory at most.`,
    ],
    refusedInPart: bad > 0,
  };
}
