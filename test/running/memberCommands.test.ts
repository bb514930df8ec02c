import { pbkdf2Sync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { hashSync as bcrypt } from '@node-rs/bcrypt';
import { ask, type } from '../support/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'members-'));
const env = { DATA_DIR: join(folder, 'data') };
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PASSWORD = 'seven geese over the old mill';
const b64 = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
const salt = Buffer.from('a salt of 16 byt');
const PBKDF2 = `$pbkdf2-sha256$i=1000$${b64(salt)}$${b64(pbkdf2Sync(PASSWORD, salt, 1000, 32, 'sha256'))}`;

const row = (name: string, more: object = { password: PASSWORD }) => ({
  ...{ username: name, email: `${name}@example.com`, phone: '+12025550143', memberNumber: `N-${name}` },
  ...{ firstName: 'Sample', lastName: 'Person', birthDate: '1951-03-14', postalCode: '97201', ...more },
});

const make = (name: string, ...more: string[]) => [
  ...['members', 'make', '--username', name, '--email', `${name}@example.com`, '--phone', '+12025550143'],
  ...['--member-number', `N-${name}`, '--first-name', 'Sample', '--last-name', 'Person'],
  ...['--birth-date', '1951-03-14', '--postal-code', '97201', ...more],
];

describe('scripts/members make', () => {
  test('opens an account with a password from the standard input, and shows it without', async () => {
    const made = await ask<{ sub: string }>(make('walker'), env, `${PASSWORD}\n`);
    const shown = await ask<object>(['members', 'show', 'WALKER@example.com'], env);
    expect(shown).toEqual(made);
    expect(shown).toMatchObject({ username: 'walker', memberNumber: 'N-walker', password: 'argon2id' });
    expect(JSON.stringify(shown)).not.toContain('$');
  });

  test.each([
    ['weak', [], 'Sample Person weak', 3, 'contains your name'],
    ['short', [], 'short', 3, 'at least 15 characters'],
    ['silent', [], '', 2, 'No password was given'],
    ['hashed', ['--password-hash', '$md5$abc'], '', 3, 'its form is not known'],
    ['two words', [], PASSWORD, 3, 'letters, digits and'],
    ['dated', ['--birth-date', '14 March'], PASSWORD, 3, 'birthDate'],
    ['walker', [], PASSWORD, 3, 'has an account already'],
    ['other', ['--member-number', 'N-walker'], PASSWORD, 3, 'belongs to another account'],
    ['argued', ['--password', PASSWORD], '', 2, "Unknown option '--password'"],
  ])('refuses %s %j and says why', async (name, more, input, code, words) => {
    const told = await type(make(name, ...more), env, input);
    expect([told.code, told.stdout]).toEqual([code, '']);
    expect(told.stderr).toContain(words);
  });

  test('names what is missing', async () => {
    const told = await type(['members', 'make', '--username', 'x'], env);
    expect([told.code, told.stderr]).toEqual([2, expect.stringContaining('--email is missing')]);
  });

  test('takes any password that has to be changed, and a hash from elsewhere', async () => {
    expect(await ask(make('starter', '--password-must-change', '--password-stdin'), env, 'start')).toMatchObject({
      passwordMustChange: true,
    });
    expect(await ask(make('moved', '--password-hash', PBKDF2), env)).toMatchObject({ password: 'pbkdf2-sha256' });
  });

  test('an address that nobody confirmed does not sign in', async () => {
    await ask(make('unsure', '--unconfirmed-email'), env, PASSWORD);
    const told = await type(['members', 'show', 'unsure@example.com'], env);
    expect([told.code, told.stderr]).toEqual([3, 'Nobody signs in as unsure@example.com.\n']);
  });
});

describe('scripts/members import', () => {
  const file = (name: string, rows: unknown): string => {
    const path = join(folder, name);
    writeFileSync(path, JSON.stringify(rows));
    return path;
  };

  test('takes the good rows, tells the bad ones by their place, and counts those that are there', async () => {
    const path = file('mixed.json', [
      row('plain'),
      row('bcrypted', { passwordHash: bcrypt(PASSWORD, 4) }),
      { username: 'bare' },
      row('unknown', { passwordHash: '{SHA}abc' }),
      row('feeble', { password: 'password1password1' }),
      row('PLAIN', { password: PASSWORD, memberNumber: 'another' }),
      row('derived', { passwordHash: PBKDF2 }),
      row('thief', { password: PASSWORD, memberNumber: 'N-derived' }),
    ]);
    const dry = await type(['members', 'import', path, '--dry-run', '--json'], env);
    expect(JSON.parse(dry.stdout)).toMatchObject({ dryRun: true, opened: 3, existing: 0 });
    expect((await type(['members', 'show', 'plain'], env)).code).toBe(3);

    const { code, stdout, stderr } = await type(['members', 'import', path, '--json'], env);
    const { bad, ...counts } = JSON.parse(stdout);
    expect([code, counts]).toEqual([3, { dryRun: false, opened: 3, existing: 0 }]);
    expect(bad).toEqual([
      { index: 2, reason: expect.stringContaining('email') },
      { index: 3, reason: expect.stringContaining('form is not known') },
      { index: 4, reason: expect.stringContaining('password: ') },
      { index: 5, reason: expect.stringContaining('stands in row 0 too') },
      { index: 7, reason: expect.stringContaining('stands in row 6 too') },
    ]);
    expect(stderr).toContain('mixed.json: 3: passwordHash');
    expect(stderr).not.toContain(PASSWORD);

    const again = JSON.parse((await type(['members', 'import', path, '--json'], env)).stdout);
    expect(again).toMatchObject({ opened: 0, existing: 3 });
  });

  test('is done with exit code 0 when every row is good', async () => {
    const told = await type(['members', 'import', file('good.json', [row('fine', { passwordHash: PBKDF2 })])], env);
    expect(told).toEqual({ code: 0, stdout: '1 opened, 0 there already, 0 bad.\n', stderr: '' });
  });

  test('tells a number of another member, and a file that is none', async () => {
    const taken = await type(
      ['members', 'import', file('taken.json', [row('x', { password: PASSWORD, memberNumber: 'N-fine' })])],
      env,
    );
    expect([taken.code, taken.stderr]).toEqual([
      3,
      expect.stringContaining('0: the username, the email or the member'),
    ]);
    for (const path of [file('object.json', {}), join(folder, 'absent.json')]) {
      expect((await type(['members', 'import', path], env)).code).toBe(2);
    }
  });

  test('takes ten thousand members in seconds', async () => {
    const rows = Array.from({ length: 10_000 }, (_, i) => row(`many${i}`, { passwordHash: PBKDF2 }));
    const started = Date.now();
    expect(await ask(['members', 'import', file('many.json', rows)], env)).toMatchObject({ opened: 10_000, bad: [] });
    expect(Date.now() - started).toBeLessThan(20_000);
  });
});
