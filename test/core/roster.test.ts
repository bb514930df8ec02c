import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { rosterDirectory } from '../../src/core/membership/roster.ts';
import type { RosterRecord } from '../../src/core/membership/rosterCipher.ts';
import { everyDocument, type Stored } from '../../src/core/storage/collection.ts';
import type { Stores } from '../../src/core/storage/stores.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { importRows, personOf, rosterRow, rosterUnder } from '../support/roster.ts';

const [KEY, NEW_KEY] = ['first-secret-of-the-roster-in-tests', 'second-secret-of-the-roster-in-test'];
const merged = (number: string, into: string) => rosterRow(number, { status: 'merged', merged_into: into, email: '' });

describeOnEveryStore('the roster', (pair) => {
  let stores: Stores;
  const roster = (...secrets: string[]) => rosterUnder(stores, ...(secrets.length === 0 ? [KEY] : secrets));
  /** Whom a number finds, with the details of the membership of another number. */
  const find = (number: string, as = number, ...secrets: string[]) =>
    rosterDirectory(roster(...secrets)).match(personOf(as), number);
  const stored = async () => {
    const all: Stored<RosterRecord>[] = [];
    for await (const one of everyDocument(stores.roster)) all.push(one);
    return all;
  };

  beforeEach(async () => {
    stores = await pair.open(new TestClock());
  });
  afterEach(() => stores.close());

  test('finds a membership by its number and its person, and nobody by less', async () => {
    const more = {
      phone: '(202) 555-0143',
      phone_kind: 'landline',
      locale: 'es',
      status: 'frozen',
      ends_on: '2026-12-31',
    };
    await importRows(roster(), [rosterRow('N-1', more), rosterRow('N-2')]);
    expect(await find('n 1', 'N-1')).toEqual({
      ...{
        ...personOf('N-1'),
        memberNumber: 'N-1',
        formerNumbers: [],
        standing: 'frozen',
        endsOn: '2026-12-31',
        locale: 'es',
      },
      contacts: [
        { kind: 'email', to: 'N-1@example.com' },
        { kind: 'landline', to: '+12025550143' },
      ],
    });
    expect(await find('N-2', 'N-1')).toBeUndefined();
    expect(await find('N-3', 'N-1')).toBeUndefined();
    expect(await find('', 'N-1')).toBeUndefined();
  });

  test('keeps nothing that tells who is a member', async () => {
    const row = rosterRow('MEMBER-1', { phone: '+12025550143' });
    await importRows(roster(), [row, merged('MEMBER-0', 'MEMBER-1')]);
    const text = JSON.stringify(await stored());
    // Long enough not to come up in what is random.
    for (const word of [
      ...['MEMBER-1', 'MEMBER1', 'MEMBER-0', 'MEMBER0', 'Sample', 'Person', '1964-07-21', '97202'],
      ...['example.com', '2025550143', 'active', '"en"'],
    ]) {
      expect(text).not.toContain(word);
    }
  });

  test('the same rows again change nothing; a change, an end and a return do', async () => {
    const rows = [rosterRow('N-1'), rosterRow('N-2'), merged('N-0', 'N-1')];
    expect((await importRows(roster(), rows, { dryRun: true })).taken).toMatchObject({ added: 3 });
    expect(await stored()).toEqual([]);
    expect((await importRows(roster(), rows)).taken).toEqual({ added: 3, changed: 0, ended: 0, unchanged: 0 });
    const before = await stored();
    expect((await importRows(roster(), rows)).taken).toEqual({ added: 0, changed: 0, ended: 0, unchanged: 3 });
    expect(await stored()).toEqual(before);

    const moved = [rosterRow('N-1', { postal_code: '97203' })];
    const whole = { whole: true };
    expect((await importRows(roster(), moved, { ...whole, dryRun: true })).taken).toMatchObject({
      changed: 1,
      ended: 1,
    });
    expect((await find('N-1'))?.postalCode).toBe('97202');
    expect((await importRows(roster(), moved, whole)).taken).toMatchObject({ changed: 1, ended: 1 });
    expect((await find('N-2'))?.endsOn).toBe('2026-01-15');
    expect((await importRows(roster(), moved, whole)).taken).toEqual({ added: 0, changed: 0, ended: 0, unchanged: 1 });
    // The number that was merged still leads where it led, also in what has changed since.
    expect(
      (await rosterDirectory(roster()).match(personOf('N-1', { postalCode: '97203' }), 'N-0'))?.formerNumbers,
    ).toEqual(['N-0']);
    expect((await importRows(roster(), rows, whole)).taken).toEqual({ added: 0, changed: 2, ended: 0, unchanged: 1 });
    expect((await find('N-2'))?.endsOn).toBeUndefined();
  });

  test('a merged number finds the membership that it was merged into, in whichever order they come', async () => {
    await importRows(roster(), [merged('N-0', 'N-1'), merged('N-00', 'N-0'), rosterRow('N-1')]);
    for (const number of ['N-0', 'N-00', 'N-1']) {
      const { memberNumber, formerNumbers } = (await find(number, 'N-1')) ?? {};
      expect([memberNumber, formerNumbers?.toSorted()]).toEqual(['N-1', ['N-0', 'N-00']]);
    }
    expect(await find('N-0')).toBeUndefined();
  });

  test('a membership with numbers of its own is merged by a later import, and back again', async () => {
    await importRows(roster(), [rosterRow('N-1'), rosterRow('N-2'), merged('N-0', 'N-1')]);
    expect((await importRows(roster(), [merged('N-1', 'N-2')])).taken).toMatchObject({ added: 0, changed: 1 });
    expect((await find('N-0', 'N-2'))?.formerNumbers.toSorted()).toEqual(['N-0', 'N-1']);
    await importRows(roster(), [rosterRow('N-1')]);
    expect((await find('N-1'))?.memberNumber).toBe('N-1');
    expect((await find('N-2'))?.formerNumbers).toEqual(['N-0']);
  });

  test('merges that lead nowhere, to themselves or in a circle are bad, and those behind them', async () => {
    await importRows(roster(), [rosterRow('N-9'), merged('N-8', 'N-9')]);
    const { bad, taken } = await importRows(roster(), [
      merged('N-1', 'N-0'),
      merged('N-2', 'N-1'),
      merged('N-3', 'N-4'),
      merged('N-4', 'N-3'),
      merged('N-5', 'n5'),
      merged('N-6', 'N-8'),
      merged('N-9', 'N-8'),
      rosterRow('N-7', { merged_into: 'N-9' }),
      merged('N-10', ''),
    ]);
    expect(taken.added).toBe(0);
    expect(bad.toSorted((a, b) => a.line - b.line)).toEqual([
      { line: 2, reason: expect.stringContaining('no membership of this file or of the roster') },
      { line: 3, reason: expect.stringContaining('no membership of this file or of the roster') },
      ...[4, 5].map((line) => ({ line, reason: 'merged_into leads round in a circle' })),
      { line: 6, reason: 'merged_into leads to itself' },
      ...[7, 8].map((line) => ({ line, reason: 'merged_into leads round in a circle' })),
      { line: 9, reason: 'merged_into is for the status merged only' },
      { line: 10, reason: 'merged_into is missing' },
    ]);
  });

  test('numbers that lead round in a circle find nobody', async () => {
    const { cipher } = roster();
    const [[a], [b]] = [cipher.ids('N-1'), cipher.ids('N-2')];
    await stores.roster.insert(a, { fingerprint: '', mergedInto: b });
    await stores.roster.insert(b, { fingerprint: '', mergedInto: a });
    expect(await find('N-1')).toBeUndefined();
  });

  test('is found under a former secret, moved by the next import, and needs the former one no longer', async () => {
    const rows = [rosterRow('N-1'), rosterRow('N-2'), merged('N-0', 'N-1')];
    await importRows(roster(KEY), rows);
    expect((await find('N-0', 'N-1', NEW_KEY, KEY))?.formerNumbers).toEqual(['N-0']);
    expect((await importRows(roster(NEW_KEY, KEY), rows, { whole: true })).taken).toEqual({
      ...{ added: 0, changed: 3, ended: 0, unchanged: 0 },
    });
    expect((await importRows(roster(NEW_KEY, KEY), rows, { whole: true })).taken.unchanged).toBe(3);
    for (const number of ['N-1', 'N-0']) {
      expect((await find(number, 'N-1', NEW_KEY))?.formerNumbers).toEqual(['N-0']);
    }
    expect((await importRows(roster(NEW_KEY), rows, { whole: true })).taken.unchanged).toBe(3);
    await expect(find('N-1', 'N-1', KEY)).rejects.toThrow('ROSTER_KEY is not');
  });

  test('a whole import under a new secret also moves what is not in it', async () => {
    await importRows(roster(KEY), [rosterRow('N-1'), rosterRow('N-2'), rosterRow('N-3'), merged('N-0', 'N-2')]);
    await importRows(roster(KEY), [rosterRow('N-1'), rosterRow('N-3')], { whole: true });
    const { taken } = await importRows(roster(NEW_KEY, KEY), [rosterRow('N-1')], { whole: true });
    expect(taken).toEqual({ added: 0, changed: 1, ended: 1, unchanged: 0 });
    expect((await find('N-3', 'N-3', NEW_KEY))?.endsOn).toBe('2026-01-15');
    expect(await find('N-0', 'N-2', NEW_KEY)).toMatchObject({ memberNumber: 'N-2', formerNumbers: ['N-0'] });
    expect((await importRows(roster(NEW_KEY), [rosterRow('N-1')], { whole: true })).taken.unchanged).toBe(1);
  });

  test('what nobody can open says which setting is wrong', async () => {
    await importRows(roster(KEY), [rosterRow('N-1')]);
    const [{ id, value } = { id: '', value: { fingerprint: '', sealed: '' } }] = await stored();
    expect(() => roster(NEW_KEY).cipher.open(value.sealed ?? '', id)).toThrow('ROSTER_KEY is not');
    expect(() => roster(KEY).cipher.open(value.sealed ?? '', 'another id')).toThrow();
  });

  test('of parallel imports of the same rows each leaves the same roster', async () => {
    const rows = Array.from({ length: 300 }, (_, i) => rosterRow(`N-${i}`));
    const all = [...rows, merged('M-0', 'N-0'), merged('M-1', 'N-0')];
    await Promise.all([importRows(roster(), all), importRows(roster(), all), importRows(roster(), all)]);
    expect(await stored()).toHaveLength(302);
    expect((await importRows(roster(), all)).taken.unchanged).toBe(302);
    expect((await find('M-1', 'N-0'))?.formerNumbers.toSorted()).toEqual(['M-0', 'M-1']);
  });
});
