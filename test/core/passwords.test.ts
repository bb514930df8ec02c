import { pbkdf2Sync, scryptSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { hashSync as bcrypt } from '@node-rs/bcrypt';
import { fastestArgon2, isCurrentArgon2, plainArgon2 } from '../../src/adapters/argon2.ts';
import { boundedHasher } from '../../src/adapters/boundedHasher.ts';
import { passwordHasher } from '../../src/adapters/passwordHasher.ts';
import { passwordStrength } from '../../src/adapters/passwordStrength.ts';
import type { Account } from '../../src/core/account/account.ts';
import { changePassword, judgePassword, leastLength } from '../../src/core/account/newPassword.ts';
import { type PasswordHash, type PasswordHasher, provePassword } from '../../src/core/account/password.ts';
import { refused } from '../../src/core/refusal.ts';
import type { Stores } from '../../src/core/storage/stores.ts';
import { prometheusMetrics } from '../../src/observe/metrics.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';

const PASSWORD = 'Ünïcode ✓ with spaces';
const b64 = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
const salt = Buffer.from('a salt of 16 byt');

const FOREIGN: Readonly<Record<string, string>> = {
  bcrypt: bcrypt(PASSWORD, 5),
  'PBKDF2 with SHA-256': `$pbkdf2-sha256$i=1000$${b64(salt)}$${b64(pbkdf2Sync(PASSWORD, salt, 1000, 32, 'sha256'))}`,
  'PBKDF2 with SHA-512': `$pbkdf2-sha512$i=1000$${b64(salt)}$${b64(pbkdf2Sync(PASSWORD, salt, 1000, 64, 'sha512'))}`,
  scrypt: `$scrypt$ln=10,r=8,p=1$${b64(salt)}$${b64(scryptSync(PASSWORD, salt, 32, { N: 1024, r: 8, p: 1 }))}`,
};

const someAccount = (password: PasswordHash): Account => ({
  ...{ username: 'sample.member', email: 'sample.member@example.com', phone: '+12025550143' },
  ...{ memberNumber: 'MHP-100-2001', firstName: 'Sample', lastName: 'Member', birthDate: '1951-03-14' },
  ...{ postalCode: '97201', locale: 'en', emailConfirmed: true, phoneConfirmed: true, deviceEpoch: 0 },
  ...{ createdAt: 1, updatedAt: 1, password },
});

describe('a password hash', () => {
  test('of either Argon2 package is accepted by the other', async () => {
    const fast = await fastestArgon2();
    expect([plainArgon2.engine, fast.engine]).toEqual(['argon2', '@node-rs/argon2']);
    for (const [maker, reader] of [
      [plainArgon2, fast],
      [fast, plainArgon2],
    ] as const) {
      const phc = await maker.hash(PASSWORD);
      expect(isCurrentArgon2(phc)).toBe(true);
      expect(isCurrentArgon2(phc.replace('m=19456', 'm=8192'))).toBe(false);
      expect([await reader.verify(phc, PASSWORD), await reader.verify(phc, 'other')]).toEqual([true, false]);
    }
  });

  test('is worth nothing without the pepper that it was made with', async () => {
    const stored = await passwordHasher(plainArgon2, ['first pepper']).hash(PASSWORD);
    expect(await plainArgon2.verify(stored.phc, PASSWORD)).toBe(false);
    await expect(passwordHasher(plainArgon2, ['second pepper']).verify(stored, PASSWORD)).rejects.toThrow(
      'PASSWORD_PEPPER lacks',
    );
  });

  test('is of the password to its last character, in its own capitals and with its own spaces', async () => {
    const hasher = passwordHasher(plainArgon2, ['pepper']);
    const long = 'Aß '.repeat(86).slice(0, 256);
    const stored = await hasher.hash(long);
    const others = [`${long.slice(0, 255)}x`, long.slice(0, 255), `${long} `, ` ${long}`, long.toLowerCase()];
    const verdicts = await Promise.all([long, ...others].map((typed) => hasher.verify(stored, typed)));
    expect(verdicts).toEqual(['right', 'wrong', 'wrong', 'wrong', 'wrong', 'wrong']);
  });

  test('made with an older pepper is right and outdated', async () => {
    const stored = await passwordHasher(plainArgon2, ['old']).hash(PASSWORD);
    const rotated = passwordHasher(plainArgon2, ['new', 'old']);
    expect([await rotated.verify(stored, PASSWORD), await rotated.verify(stored, 'x')]).toEqual(['outdated', 'wrong']);
    expect(await rotated.verify(await rotated.hash(PASSWORD), PASSWORD)).toBe('right');
  });

  test.each(Object.entries(FOREIGN))('of %s from elsewhere is verified and outdated', async (_, phc) => {
    const hasher = passwordHasher(plainArgon2, ['pepper']);
    expect(await hasher.verify({ phc, pepperId: '' }, PASSWORD)).toBe('outdated');
    expect(await hasher.verify({ phc, pepperId: '' }, `${PASSWORD} `)).toBe('wrong');
  });

  test.each(['', 'plain text', '$md5$abc', '$pbkdf2-sha256$i=999999999$YWFh$YWFh', '$scrypt$ln=31,r=8,p=1$YWFh$YWFh'])(
    'of the form %j is a fault and opens nothing',
    async (phc) => {
      const hasher = passwordHasher(plainArgon2, ['pepper']);
      await expect(hasher.verify({ phc, pepperId: '' }, phc)).rejects.toThrow('a form that is not known');
    },
  );
});

describeOnEveryStore('a right password with an outdated hash', (pair) => {
  let stores: Stores;
  beforeEach(async () => {
    stores = await pair.open(new TestClock());
  });
  afterEach(() => stores.close());

  const hasher = passwordHasher(plainArgon2, ['new', 'old']);
  const open = async (password: PasswordHash) => {
    await stores.accounts.insert('a', someAccount(password));
    return stores.accounts.find('a');
  };

  test.each([['an older pepper', undefined], ...Object.entries(FOREIGN)])(
    'of %s is hashed anew at sign-in',
    async (_, phc) => {
      const outdated =
        phc === undefined ? await passwordHasher(plainArgon2, ['old']).hash(PASSWORD) : { phc, pepperId: '' };
      const proof = { accounts: stores.accounts, hasher, decoy: outdated };
      expect(await provePassword(proof, await open(outdated), 'wrong')).toBe(false);
      expect((await stores.accounts.find('a'))?.value.password).toEqual(outdated);
      expect(await provePassword(proof, await stores.accounts.find('a'), PASSWORD)).toBe(true);
      const renewed = await stores.accounts.find('a');
      expect(await hasher.verify(renewed?.value.password ?? outdated, PASSWORD)).toBe('right');
    },
  );

  test('does not undo a password that was changed meanwhile', async () => {
    const before = await open({ phc: String(FOREIGN.bcrypt), pepperId: '' });
    const changed = await hasher.hash('another password');
    await stores.accounts.replace('a', 1, { ...(before?.value as Account), password: changed });
    expect(await provePassword({ accounts: stores.accounts, hasher, decoy: changed }, before, PASSWORD)).toBe(true);
    expect((await stores.accounts.find('a'))?.value.password).toEqual(changed);
  });
});

describe('hashing under load', () => {
  /** A hash that ends when it is told to. */
  const held = () => {
    const endings: (() => void)[] = [];
    const hasher: PasswordHasher = {
      hash: () => new Promise((resolve) => endings.push(() => resolve({ phc: '', pepperId: '' }))),
      verify: () => new Promise((resolve) => endings.push(() => resolve('right'))),
    };
    return { endings, hasher };
  };
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  test('runs as many at once as there are places, queues some, and refuses the rest at once', async () => {
    const { endings, hasher } = held();
    const bounded = boundedHasher(hasher, { slots: 2, queue: 3, longestWait: 1_000 }, prometheusMetrics());
    const all = Array.from({ length: 8 }, () =>
      bounded.hash('x').then(
        () => 'done',
        (error) => error.dependency,
      ),
    );
    await turn();
    expect(endings).toHaveLength(2);
    expect(await Promise.all(all.slice(5))).toEqual(['hashing', 'hashing', 'hashing']);
    while (endings.length > 0) {
      endings.shift()?.();
      await turn();
    }
    expect(await Promise.all(all.slice(0, 5))).toEqual(Array(5).fill('done'));
  });

  test('gives up waiting after the longest wait and keeps its place free for others', async () => {
    const { endings, hasher } = held();
    const bounded = boundedHasher(hasher, { slots: 1, queue: 1, longestWait: 30 }, prometheusMetrics());
    const first = bounded.hash('x');
    await expect(bounded.hash('y')).rejects.toMatchObject({ statusCode: 503 });
    const third = bounded.hash('z');
    endings.shift()?.();
    await first;
    await turn();
    endings.shift()?.();
    await expect(third).resolves.toBeDefined();
  });
});

describe('the least length of a password', () => {
  test.each([
    [false, undefined, 15],
    [false, 8, 15],
    [false, 20, 20],
    [true, undefined, 12],
    [true, 8, 8],
    [true, 1, 8],
  ])('with a second step always: %s, wanted: %s, is %d', (always, wanted, least) => {
    expect(leastLength(always, wanted)).toBe(least);
  });
});

describe('a new password', () => {
  const rules = { meter: passwordStrength(), least: 15, plan: 'Meadowlark Health Plan' };
  const account = someAccount({ phc: '', pepperId: '' });
  test.each([
    ['fourteen chars', 'password-too-short'],
    ['fifteen chars ok', undefined],
    // Fifteen characters, but more bytes and code units.
    ['😀 ünïcode zählt'.normalize('NFD'), undefined],
    ['un paseo junto al lago', undefined],
    ['ten words may stand here '.repeat(10), undefined],
    ['a long one, '.repeat(22), 'password-too-long'],
    ['password1234567', 'password-common'],
    // Nothing that a meter would call weak, but chosen by many.
    ['ThisIsMyPassword', 'password-common'],
    ['youcouldhaveitsomuchbetter', 'password-common'],
    ['Passw0rdPassw0rd', 'password-pattern'],
    ['qwertyuiopasdfgh', 'password-common'],
    ['aaaaaaaaaaaaaaaa', 'password-pattern'],
    ['abcdefghijklmnop', 'password-pattern'],
    ['meadowlark health plan', 'password-personal'],
    ['sample.member 2024', 'password-personal'],
    ['MHP-100-2001 pass', 'password-personal'],
  ])('%j is answered with %s', (typed, refusal) => {
    expect(judgePassword(rules, account, typed).refusal).toBe(refusal);
  });

  test('of the worst kind is judged in less than a tenth of a second of work', () => {
    judgePassword(rules, account, 'warm up the estimator');
    // Of this thread alone: others collect garbage, or hash.
    const began = process.threadCpuUsage();
    judgePassword(rules, account, 'aB3$'.repeat(64));
    const { user, system } = process.threadCpuUsage(began);
    expect(user + system).toBeLessThan(100_000);
  });
});

describeOnEveryStore('choosing a new password', (pair) => {
  let stores: Stores;
  beforeEach(async () => {
    stores = await pair.open(new TestClock());
  });
  afterEach(() => stores.close());

  const hasher = passwordHasher(plainArgon2, ['pepper']);
  const rules = { meter: passwordStrength(), least: 15, plan: 'Meadowlark Health Plan' };
  const deps = () => ({
    ...{ accounts: stores.accounts, schedule: stores.outbox, hasher, rules, clock: new TestClock() },
  });
  /** By who has proven the password that holds now. */
  const changeNow = async (password: string) =>
    changePassword(deps(), 'a', (await stores.accounts.find('a'))?.value.deviceEpoch ?? 0, password);
  const words = ['one', 'two', 'three', 'four', 'five', 'six'].map((word) => `a new lamp for room ${word}`);

  test('refuses the last five, in any form of the same characters, and takes the one before those', async () => {
    await stores.accounts.insert('a', { ...someAccount(await hasher.hash(PASSWORD)), passwordMustChange: true });
    expect(await changeNow(PASSWORD.normalize('NFD'))).toEqual(refused('password-reused'));
    for (const password of words) expect(await changeNow(password)).toMatchObject({ ok: true });
    for (const password of words.slice(1)) expect(await changeNow(password)).toEqual(refused('password-reused'));
    expect(await changeNow(String(words[0]))).toMatchObject({ ok: true });
    const { value } = (await stores.accounts.find('a')) ?? {};
    expect(value).toMatchObject({ deviceEpoch: 7 });
    expect(value?.formerPasswords).toHaveLength(4);
    expect(value?.passwordMustChange).toBeUndefined();
  });

  test('of two at once one is heard, and the other proof is void', async () => {
    await stores.accounts.insert('a', someAccount(await hasher.hash(PASSWORD)));
    const outcomes = await Promise.all(words.slice(0, 2).map((password) => changePassword(deps(), 'a', 0, password)));
    expect(outcomes.filter((outcome) => outcome?.ok)).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === undefined)).toHaveLength(1);
    const account = (await stores.accounts.find('a'))?.value;
    expect([account?.deviceEpoch, account?.formerPasswords]).toEqual([1, [expect.anything()]]);
  });
});
