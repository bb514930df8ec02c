import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/adapters/systemClock.ts';
import { developmentSecrets } from '../../src/config/developmentSecrets.ts';
import { rosterDirectory } from '../../src/core/membership/roster.ts';
import { openEmbeddedStores } from '../../src/stores/open.ts';
import { ask, type } from '../support/command.ts';
import { ROOT } from '../support/provider.ts';
import { personOf, ROSTER_HEADER, rosterRow, rosterUnder } from '../support/roster.ts';
import { within } from '../support/within.ts';

const folder = mkdtempSync(join(tmpdir(), 'roster-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let env: { readonly DATA_DIR: string };
beforeEach(() => {
  env = { DATA_DIR: mkdtempSync(join(folder, 'data-')) };
});

const file = (name: string, content: string | Buffer): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const roster = (name: string, rows: readonly string[]): string =>
  file(name, `${[ROSTER_HEADER, ...rows].join('\n')}\n`);

/** Whom a number finds, with the details of its row. */
async function found(number: string, more: Parameters<typeof personOf>[1] = {}) {
  const stores = openEmbeddedStores(env.DATA_DIR, systemClock);
  const directory = rosterDirectory(rosterUnder(stores, ...developmentSecrets(env.DATA_DIR).rosterKeys));
  const membership = await directory.match(personOf(number, more), number);
  await stores.close();
  return membership;
}

interface Report {
  readonly bad: number;
  readonly badRows: { readonly line: number; readonly reason: string }[];
  readonly rowsPerSecond: number;
  readonly peakMemoryMiB: number;
}

describe('scripts/members import of a roster', () => {
  test('tells what would happen, does it, and changes nothing the second time', async () => {
    const path = roster('plain.csv', [rosterRow('N-1'), rosterRow('N-2', { status: 'frozen' })]);
    const dry = await type(['members', 'import', path, '--dry-run'], env);
    expect([dry.code, dry.stderr]).toEqual([0, '']);
    expect(dry.stdout).toMatch(
      /^2 would be added, 0 would be changed, 0 would be ended, 0 unchanged, 0 bad\.\n2 rows in [\d.]+ s, \d+ a second, with \d+ MiB of memory at most\.\n$/,
    );
    expect(await found('N-1')).toBeUndefined();
    const report = await ask<Report>(['members', 'import', path], env);
    expect(report).toMatchObject({ dryRun: false, rows: 2, added: 2, changed: 0, ended: 0, unchanged: 0, bad: 0 });
    expect(report.rowsPerSecond).toBeGreaterThan(0);
    expect(report.peakMemoryMiB).toBeGreaterThan(0);
    expect((await found('N-2'))?.standing).toBe('frozen');
    expect(await ask(['members', 'import', path], env)).toMatchObject({ added: 0, changed: 0, unchanged: 2 });
  });

  test('takes columns in any order, quotes, a byte order mark, and the lines of Windows', async () => {
    const lines = [
      'Last_Name,first_name,postal_code,birth_date,member_number',
      '"Person N-1","Sample",97202,1964-07-21,"N-1"',
      '',
      '"Person, N-2",  Sample ,"97202",1964-07-21,N-2',
    ];
    await ask(['members', 'import', file('windows.csv', `\ufeff${lines.join('\r\n')}`)], env);
    expect(await found('N-1')).toMatchObject({ contacts: [], locale: 'en', standing: 'active' });
    expect((await found('N-2'))?.lastName).toBe('Person, N-2');
  });

  test('ends what is not in a whole roster, and says how many before', async () => {
    await ask(
      [
        'members',
        'import',
        roster(
          'three.csv',
          ['N-1', 'N-2', 'N-3'].map((one) => rosterRow(one)),
        ),
      ],
      env,
    );
    const one = roster('one.csv', [rosterRow('N-1')]);
    expect(await ask(['members', 'import', one], env)).toMatchObject({ ended: 0, unchanged: 1 });
    expect(await ask(['members', 'import', one, '--whole', '--dry-run'], env)).toMatchObject({ ended: 2 });
    expect((await found('N-2'))?.endsOn).toBeUndefined();
    const bad = await type(
      ['members', 'import', roster('half.csv', [rosterRow('N-1'), 'x']), '--whole', '--partial'],
      env,
    );
    expect([bad.code, bad.stdout, bad.stderr]).toEqual([
      ...[3, expect.stringContaining('0 ended, 1 unchanged, 1 bad'), expect.stringContaining('no membership ends')],
    ]);
    expect(await ask(['members', 'import', one, '--whole'], env)).toMatchObject({ ended: 2, unchanged: 1 });
    expect((await found('N-2'))?.endsOn).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(await ask(['members', 'import', one, '--whole'], env)).toMatchObject({ ended: 0, unchanged: 1 });
    const none = await type(['members', 'import', roster('none.csv', []), '--whole'], env);
    expect([none.code, none.stderr]).toEqual([3, expect.stringContaining('all memberships end')]);
  });

  test.each([
    ['nothing', '', 'The file is empty'],
    ['no header', `${rosterRow('N-1')}\n`, 'member_number is missing'],
    ['a column of its own', `${ROSTER_HEADER},gender\n`, 'gender is not known'],
    ['a column twice', `${ROSTER_HEADER},email\n`, 'email stands there twice'],
    ['another encoding', Buffer.from(ROSTER_HEADER, 'utf16le'), 'The first line must name the columns'],
  ])('refuses a file with %s', async (_, content, words) => {
    const { code, stdout, stderr } = await type(['members', 'import', file('odd.csv', content)], env);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(words);
  });

  test('refuses a file that is not there, and options that are not for it', async () => {
    expect((await type(['members', 'import', join(folder, 'absent.csv')], env)).code).toBe(2);
    expect((await type(['members', 'import', file('members.json', '[]'), '--whole'], env)).stderr).toContain(
      '--partial and --whole are for a CSV file',
    );
  });

  test('takes nothing while a row is bad, or the good ones when told to', async () => {
    const path = roster('bad.csv', [rosterRow('N-1'), rosterRow('N-2', { birth_date: '1964-02-30' })]);
    const told = await type(['members', 'import', path], env);
    expect(told.code).toBe(3);
    expect(told.stderr).toBe(`${path}: 3: birth_date is a day that there never was.\n`);
    expect(told.stdout).toContain('0 added, 0 changed, 0 ended, 0 unchanged, 1 bad.\nNothing was taken.');
    expect(await found('N-1')).toBeUndefined();
    const partial = await type(['members', 'import', path, '--partial', '--json'], env);
    expect([partial.code, JSON.parse(partial.stdout)]).toEqual([
      3,
      expect.objectContaining({ added: 1, bad: 1, badRows: [{ line: 3, reason: expect.any(String) }] }),
    ]);
    expect(await found('N-1')).toBeDefined();
  });

  test('tells every bad row of ten thousand, one in a hundred and of every kind, and takes the others', async () => {
    const kinds = Object.keys(BAD);
    const lines: (string | Buffer)[] = [ROSTER_HEADER];
    const wanted: { line: number; reason: string }[] = [];
    for (let i = 0; i < 10_000; i += 1) {
      const line = lines.length + 1;
      const [, bad] = i % 100 === 99 ? (Object.entries(BAD)[((i - 99) / 100) % kinds.length] ?? []) : [];
      lines.push(bad?.row(`B-${i}`) ?? rosterRow(`N-${i}`));
      if (bad !== undefined) wanted.push({ line, reason: bad.reason });
    }
    const content = Buffer.concat(lines.flatMap((line) => [Buffer.from(line), Buffer.from('\n')]));
    const path = file('mixed.csv', content);
    const { code, stdout, stderr } = await type(['members', 'import', path, '--partial', '--json'], env);
    const { badRows, ...counts } = JSON.parse(stdout);
    expect([code, counts]).toEqual([3, expect.objectContaining({ rows: 10_000, added: 9_900, bad: 100 })]);
    expect(badRows).toEqual(wanted);
    expect(stderr.trim().split('\n').toSorted()).toEqual(
      wanted.map(({ line, reason }) => `${path}: ${line}: ${reason}.`).toSorted(),
    );
    // What stands in a row is a person's.
    for (const word of ['Sample', 'Person', 'B-', '@', '555']) expect(stderr).not.toContain(word);
  });

  test('lists a thousand bad rows at most in its JSON, and counts all', async () => {
    const path = roster(
      'worst.csv',
      Array.from({ length: 1_500 }, () => 'x,y'),
    );
    const { badRows, bad } = JSON.parse((await type(['members', 'import', path, '--json'], env)).stdout) as Report;
    expect([badRows.length, bad]).toEqual([1_000, 1_500]);
  });

  test('Ctrl-C leaves no half row, and the next import goes on', async () => {
    const rows = Array.from({ length: 30_000 }, (_, i) => rosterRow(`N-${i}`));
    const path = roster('many.csv', rows);
    const child = spawn(join(ROOT, 'scripts/members'), ['import', path], { env: { PATH: process.env.PATH, ...env } });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await within(30, async () => (await storedRows()) > 0);
    child.kill('SIGINT');
    await ended;
    const before = await storedRows();
    expect(before).toBeLessThan(rows.length);
    expect(await ask(['members', 'import', path], env)).toMatchObject({
      ...{ added: rows.length - before, changed: 0, unchanged: before },
    });
    expect(await found('N-29999')).toBeDefined();
  });
});

async function storedRows(): Promise<number> {
  const stores = openEmbeddedStores(env.DATA_DIR, systemClock);
  const all = await stores.roster.all('', 100_000);
  await stores.close();
  return all.length;
}

/** Every kind of bad row, and what is said of it. */
const BAD: Readonly<Record<string, { row(number: string): string | Buffer; reason: string }>> = {
  tooFew: { row: () => 'N,Sample', reason: 'the line has 2 columns, the first line of the file another number' },
  tooMany: {
    row: (number) => `${rosterRow(number)},`,
    reason: 'the line has 13 columns, the first line of the file another number',
  },
  notUtf8: {
    row: (number) => Buffer.from(rosterRow(number, { last_name: 'Peña' }), 'latin1'),
    reason: 'the line is not UTF-8',
  },
  openQuote: {
    row: (number) => rosterRow(number, { last_name: '"Person' }),
    reason: 'the quotes are not closed, or stand in the wrong place',
  },
  straightQuote: {
    row: (number) => rosterRow(number, { last_name: 'The "Person" ' }),
    reason: 'the quotes are not closed, or stand in the wrong place',
  },
  tooLong: {
    row: (number) => rosterRow(number, { last_name: 'x'.repeat(8_200) }),
    reason: 'the line has more than 8192 bytes',
  },
  huge: { row: () => 'x'.repeat(600_000), reason: 'the line has more than 8192 bytes' },
  longField: {
    row: (number) => rosterRow(number, { last_name: 'x'.repeat(255) }),
    reason: 'last_name has more than 254 characters',
  },
  control: {
    row: (number) => rosterRow(number, { last_name: 'Per\u0000son' }),
    reason: 'last_name has control characters',
  },
  noNumber: { row: () => rosterRow('-'), reason: 'member_number has no letter or digit' },
  noName: { row: (number) => rosterRow(number, { first_name: "'" }), reason: 'first_name has no letter' },
  noDate: {
    row: (number) => rosterRow(number, { birth_date: '07/21/1964' }),
    reason: 'birth_date is no date such as 1951-03-14',
  },
  noDay: {
    row: (number) => rosterRow(number, { birth_date: '1963-02-29' }),
    reason: 'birth_date is a day that there never was',
  },
  unborn: { row: (number) => rosterRow(number, { birth_date: '2999-01-01' }), reason: 'birth_date lies in the future' },
  shortZip: {
    row: (number) => rosterRow(number, { postal_code: '2134' }),
    reason: 'postal_code is no ZIP of five or nine digits',
  },
  email: { row: (number) => rosterRow(number, { email: 'sample@home' }), reason: 'email is no email address' },
  phone: { row: (number) => rosterRow(number, { phone: '555-0143' }), reason: 'phone is no phone number' },
  phoneKind: {
    row: (number) => rosterRow(number, { phone_kind: 'fax' }),
    reason: 'phone_kind must be mobile or landline',
  },
  locale: {
    row: (number) => rosterRow(number, { locale: 'English' }),
    reason: 'locale is no language such as en or es',
  },
  status: {
    row: (number) => rosterRow(number, { status: 'gone' }),
    reason: 'status must be one of active, frozen, deceased, merged',
  },
  ends: {
    row: (number) => rosterRow(number, { ends_on: '2026-13-01' }),
    reason: 'ends_on is a day that there never was',
  },
  mergedNowhere: {
    row: (number) => rosterRow(number, { status: 'merged', merged_into: 'X-1' }),
    reason: 'merged_into is no membership of this file or of the roster',
  },
  mergedMissing: { row: (number) => rosterRow(number, { status: 'merged' }), reason: 'merged_into is missing' },
  mergedItself: {
    row: (number) => rosterRow(number, { status: 'merged', merged_into: number.toLowerCase() }),
    reason: 'merged_into leads to itself',
  },
  several: {
    row: (number) => rosterRow(number, { birth_date: 'x', postal_code: 'y' }),
    reason: 'birth_date is no date such as 1951-03-14; postal_code is no ZIP of five or nine digits',
  },
  duplicate: { row: () => rosterRow('n 0', { email: '' }), reason: 'member_number stands in line 2 too' },
};
