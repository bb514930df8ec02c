import { afterEach, beforeEach, expect, test } from '@jest/globals';
import {
  type Account,
  addressesOf,
  contactsOf,
  findBySignInName,
  openAccount,
} from '../../src/core/account/account.ts';
import {
  addContact,
  CONTACTS_MAX,
  contactSnapshot,
  makeMain,
  removeContact,
  restoreContacts,
} from '../../src/core/account/contactChange.ts';
import { judgePassword } from '../../src/core/account/newPassword.ts';
import { signInNameClaim } from '../../src/core/account/signInName.ts';
import { type Reach, waysTo } from '../../src/core/codes/contacts.ts';
import type { Contact } from '../../src/core/membership/membership.ts';
import type { Stores } from '../../src/core/storage/stores.ts';
import { sampleAccount } from '../support/account.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';

const NOW = 1_000;
const email = (to: string): Contact => ({ kind: 'email', to });
const mobile = (to: string): Contact => ({ kind: 'mobile', to });
const landline = (to: string): Contact => ({ kind: 'landline', to });
const reach: Reach = { channels: new Set(['email', 'sms', 'voice']), reachesNumber: () => true };

describeOnEveryStore('the contacts of a member', (pair) => {
  let stores: Stores;
  beforeEach(async () => {
    stores = await pair.open(new TestClock());
  });
  afterEach(() => stores.close());

  /** A member with one confirmed email address, `<name>@example.com`, and a phone that is not confirmed. */
  const join = (id: string, more: Partial<Account> = {}) =>
    openAccount(stores.accounts, id, { ...sampleAccount(id), ...more });
  const add = (id: string, contact: Contact, replaces?: string) =>
    addContact(stores.accounts, id, contact, NOW, { replaces });
  const remove = (id: string, to: string) => removeContact(stores.accounts, id, to, NOW);
  const accountOf = async (id: string): Promise<Account> => {
    const stored = await stores.accounts.find(id);
    if (stored === undefined) throw new Error(`nobody is ${id}`);
    return stored.value;
  };
  const reachedAt = async (id: string) => contactsOf(await accountOf(id)).map(({ to }) => to);
  const whoIs = async (name: string) => (await findBySignInName(stores.accounts, name))?.id;

  test('who has shown that the account is theirs before its owner had to secure it changes nothing', async () => {
    await join('ana', { deviceEpoch: 1, moreContacts: [email('ana@example.org')] });
    const before = await accountOf('ana');
    const asked = { epoch: 0 };
    const changes = [
      await addContact(stores.accounts, 'ana', email('thief@example.com'), NOW, asked),
      await removeContact(stores.accounts, 'ana', 'ana@example.com', NOW, asked),
      await makeMain(stores.accounts, 'ana', 'ana@example.org', NOW, asked),
    ];
    expect(changes).toEqual([undefined, undefined, undefined]);
    expect(await accountOf('ana')).toEqual(before);
  });

  test('a second address signs in too, however it is typed, and a removed one does not', async () => {
    await join('ana');
    const change = await add('ana', email('Ana.Work@example.org'));
    expect(change).toMatchObject({ before: { updatedAt: 1 }, after: { updatedAt: NOW } });
    expect(await accountOf('ana')).toMatchObject({ email: 'ana@example.com', updatedAt: NOW });
    expect(await reachedAt('ana')).toEqual(['ana@example.com', 'Ana.Work@example.org']);
    expect(await whoIs('ANA.WORK@example.org')).toBe('ana');
    expect(await whoIs('ana@example.com')).toBe('ana');

    await removeContact(stores.accounts, 'ana', 'ana.work@EXAMPLE.org', NOW + 1);
    expect(await reachedAt('ana')).toEqual(['ana@example.com']);
    expect(await whoIs('ana.work@example.org')).toBeUndefined();
    expect((await accountOf('ana')).updatedAt).toBe(NOW + 1);
    expect(await join('bob', { email: 'ana.work@example.org' })).toBe('opened');
    expect(await whoIs('ana.work@example.org')).toBe('bob');
  });

  test('the first confirmed phone takes the place of one that no code has reached', async () => {
    await join('ana');
    await add('ana', landline('+15035550100'));
    expect(await accountOf('ana')).toMatchObject({ phone: '+15035550100', phoneConfirmed: true, isLandline: true });
    await add('ana', mobile('+15035550101'));
    expect(await accountOf('ana')).toMatchObject({ phone: '+15035550100', moreContacts: [mobile('+15035550101')] });
    expect(contactsOf(await accountOf('ana'))).toEqual([
      email('ana@example.com'),
      landline('+15035550100'),
      mobile('+15035550101'),
    ]);
  });

  test('an address that is imported unconfirmed signs in once a code has reached it', async () => {
    await join('ana', { emailConfirmed: false });
    expect(await whoIs('ana@example.com')).toBeUndefined();
    await add('ana', email('ana@example.com'));
    expect(await whoIs('ana@example.com')).toBe('ana');
  });

  test('a changed address gets the codes, and the old one gets none', async () => {
    await join('ana');
    await add('ana', mobile('+15035550101'));
    await add('ana', email('new@example.com'), 'ana@example.com');
    await add('ana', mobile('+15035550102'), '+15035550101');
    const account = await accountOf('ana');
    expect(account).toMatchObject({ email: 'new@example.com', phone: '+15035550102' });
    expect(waysTo(contactsOf(account), reach).map(({ by, to }) => `${by} ${to}`)).toEqual([
      'email new@example.com',
      'sms +15035550102',
      'voice +15035550102',
    ]);
    expect(await whoIs('ana@example.com')).toBeUndefined();
    expect(await whoIs('new@example.com')).toBe('ana');
  });

  test('one that takes the place of another keeps that place, and is not there twice', async () => {
    await join('ana');
    await add('ana', email('b@example.com'));
    await add('ana', email('c@example.com'));
    await add('ana', email('d@example.com'), 'b@example.com');
    expect(await reachedAt('ana')).toEqual(['ana@example.com', 'd@example.com', 'c@example.com']);
    await add('ana', email('c@example.com'), 'ana@example.com');
    expect(await reachedAt('ana')).toEqual(['c@example.com', 'd@example.com']);
  });

  test('an address that comes twice is one, and the second time changes nothing', async () => {
    await join('ana');
    await add('ana', email('b@example.com'));
    const again = await add('ana', email('b@example.com'), 'gone@example.com');
    expect(again).toMatchObject({ before: { updatedAt: NOW } });
    expect(again).toHaveProperty('after', (again as { before: Account }).before);
    expect((await stores.accounts.find('ana'))?.version).toBe(2);
    await Promise.all(Array.from({ length: 10 }, () => add('ana', email('twin@example.com'))));
    expect(await reachedAt('ana')).toEqual(['ana@example.com', 'b@example.com', 'twin@example.com']);
    expect(await whoIs('twin@example.com')).toBe('ana');
  });

  test('there are three of a kind at most, also of ten that are added at once', async () => {
    await join('ana');
    const numbers = Array.from({ length: 10 }, (_, i) => i);
    const emails = await Promise.all(numbers.map((i) => add('ana', email(`e${i}@example.com`))));
    expect(emails.filter((outcome) => outcome === 'too-many-contacts')).toHaveLength(10 - (CONTACTS_MAX - 1));
    const phones = await Promise.all(numbers.map((i) => add('ana', mobile(`+1503555010${i}`))));
    expect(phones.filter((outcome) => outcome === 'too-many-contacts')).toHaveLength(10 - CONTACTS_MAX);
    const [first = '', ...rest] = await reachedAt('ana');
    expect(rest).toHaveLength(2 * CONTACTS_MAX - 1);
    expect(await add('ana', email('changed@example.com'), first)).toHaveProperty('after');
    expect(await add('ana', email('more@example.com'))).toBe('too-many-contacts');
    const refused = numbers.map((i) => `e${i}@example.com`).filter((to) => !rest.includes(to));
    for (const to of refused) expect(await whoIs(to)).toBeUndefined();
  });

  test('the next one becomes the main one when that is removed; the last confirmed one stays', async () => {
    await join('ana');
    await add('ana', email('b@example.com'));
    await remove('ana', 'ana@example.com');
    expect(await accountOf('ana')).toMatchObject({ email: 'b@example.com', emailConfirmed: true });
    // The phone is not confirmed: nothing else would reach her.
    expect(await remove('ana', 'b@example.com')).toBe('last-contact');
    expect(await whoIs('b@example.com')).toBe('ana');
    await add('ana', mobile('+15035550101'));
    await remove('ana', 'b@example.com');
    expect(await accountOf('ana')).toMatchObject({ emailConfirmed: false, phone: '+15035550101' });
    expect((await accountOf('ana')).email).toBeUndefined();
    expect(await whoIs('b@example.com')).toBeUndefined();
    expect(await remove('ana', '+15035550101')).toBe('last-contact');
  });

  test('of two contacts that are removed at once one stays', async () => {
    await join('ana', { phoneConfirmed: true });
    const both = await Promise.all([remove('ana', 'ana@example.com'), remove('ana', '+12025550143')]);
    expect(both.filter((outcome) => outcome === 'last-contact')).toHaveLength(1);
    expect(await reachedAt('ana')).toHaveLength(1);
  });

  test('one that no code has reached can be removed as well; what is not there changes nothing', async () => {
    await join('ana');
    await remove('ana', '+12025550143');
    expect((await accountOf('ana')).phone).toBeUndefined();
    const nothing = await remove('ana', 'else@example.com');
    expect(nothing).toHaveProperty('after', await accountOf('ana'));
    expect((await stores.accounts.find('ana'))?.version).toBe(2);
  });

  test('a username that is an email address stays when the address goes', async () => {
    await join('ana', { username: 'ana@example.com' });
    await add('ana', email('b@example.com'));
    await remove('ana', 'ana@example.com');
    expect(await whoIs('ana@example.com')).toBe('ana');
    await add('ana', email('ana@example.com'));
    expect(await whoIs('ana@example.com')).toBe('ana');
  });

  test('a member chooses the main one', async () => {
    await join('ana', { phoneConfirmed: true });
    await add('ana', email('b@example.com'));
    await add('ana', landline('+15035550100'));
    await makeMain(stores.accounts, 'ana', 'b@example.com', NOW + 1);
    await makeMain(stores.accounts, 'ana', '+15035550100', NOW + 2);
    expect(await accountOf('ana')).toMatchObject({
      ...{ email: 'b@example.com', phone: '+15035550100', isLandline: true, updatedAt: NOW + 2 },
      moreContacts: [mobile('+12025550143'), email('ana@example.com')],
    });
    expect([await whoIs('ana@example.com'), await whoIs('b@example.com')]).toEqual(['ana', 'ana']);
    const { version } = (await stores.accounts.find('ana')) ?? {};
    await makeMain(stores.accounts, 'ana', 'b@example.com', NOW + 3);
    await makeMain(stores.accounts, 'ana', 'else@example.com', NOW + 3);
    expect((await stores.accounts.find('ana'))?.version).toBe(version);
  });

  test('an address that two members have signs in neither, and nobody is told; who keeps it alone signs in', async () => {
    for (const id of ['ana', 'bob']) await join(id);
    for (const id of ['ana', 'bob']) expect(await add(id, email('both@example.com'))).toHaveProperty('after');
    for (const id of ['ana', 'bob']) expect(await reachedAt(id)).toContain('both@example.com');
    expect(await whoIs('both@example.com')).toBeUndefined();
    await remove('ana', 'both@example.com');
    expect(await whoIs('both@example.com')).toBe('bob');
    await add('ana', email('both@example.com'));
    expect(await whoIs('both@example.com')).toBeUndefined();
    await remove('bob', 'both@example.com');
    expect(await whoIs('both@example.com')).toBe('ana');
  });

  test('nobody takes a username away by having it as an address', async () => {
    await join('ana', { username: 'old.name@example.com' });
    await join('bob');
    await add('bob', email('old.name@example.com'));
    expect(await reachedAt('bob')).toContain('old.name@example.com');
    expect(await whoIs('old.name@example.com')).toBe('ana');
  });

  test('an address that twenty members add at the same instant is on all of them, and signs in none', async () => {
    const ids = Array.from({ length: 20 }, (_, i) => `member${i}`);
    for (const id of ids) await join(id);
    await Promise.all(ids.map((id) => add(id, email('same@example.com'))));
    for (const id of ids) expect(await reachedAt(id)).toEqual([`${id}@example.com`, 'same@example.com']);
    expect(await whoIs('same@example.com')).toBeUndefined();
    expect(await stores.accounts.findByClaim(signInNameClaim('same@example.com'))).toBeDefined();
  });

  test('what a stranger has changed is put back, and the stranger’s address signs in no more', async () => {
    await join('ana', { phoneConfirmed: true });
    await add('ana', email('b@example.com'));
    const snapshot = JSON.stringify(contactSnapshot(await accountOf('ana')));
    await add('ana', email('thief@example.com'), 'ana@example.com');
    await add('ana', landline('+15035550199'));
    await remove('ana', 'b@example.com');
    await remove('ana', '+12025550143');
    const restored = await restoreContacts(stores.accounts, 'ana', JSON.parse(snapshot), NOW + 9);
    expect(addressesOf(restored?.before ?? (await accountOf('ana'))).map(({ to }) => to)).toContain(
      'thief@example.com',
    );
    expect(await accountOf('ana')).toMatchObject({
      email: 'ana@example.com',
      phone: '+12025550143',
      updatedAt: NOW + 9,
    });
    expect(await reachedAt('ana')).toEqual(['ana@example.com', '+12025550143', 'b@example.com']);
    expect([await whoIs('ana@example.com'), await whoIs('b@example.com')]).toEqual(['ana', 'ana']);
    expect(await whoIs('thief@example.com')).toBeUndefined();
  });

  test('an account that had no more contacts has none after it was put back', async () => {
    await join('ana');
    const snapshot = JSON.stringify(contactSnapshot(await accountOf('ana')));
    await add('ana', email('thief@example.com'));
    await restoreContacts(stores.accounts, 'ana', JSON.parse(snapshot), NOW);
    expect(contactSnapshot(await accountOf('ana'))).toEqual(JSON.parse(snapshot));
    expect(await whoIs('thief@example.com')).toBeUndefined();
  });

  test('an address that somebody else has confirmed meanwhile is put back without signing in either', async () => {
    await join('ana');
    await add('ana', email('b@example.com'));
    const snapshot = contactSnapshot(await accountOf('ana'));
    await add('ana', email('thief@example.com'), 'ana@example.com');
    await remove('ana', 'b@example.com');
    for (const id of ['bob', 'cleo']) await join(id);
    for (const id of ['bob', 'cleo']) await add(id, email('ana@example.com'));
    await restoreContacts(stores.accounts, 'ana', snapshot, NOW);
    expect(await reachedAt('ana')).toEqual(['ana@example.com', 'b@example.com']);
    expect([await whoIs('ana@example.com'), await whoIs('b@example.com')]).toEqual([undefined, 'ana']);
  });

  test('no contact is in a new password', async () => {
    await join('ana');
    await add('ana', email('gardenias@example.org'));
    let words: readonly string[] = [];
    const meter = (_: string, personal: readonly string[]) => {
      words = personal;
      return { level: 4, weakness: 'personal' } as const;
    };
    judgePassword({ meter, least: 8, plan: 'Plan' }, await accountOf('ana'), 'whatever it is');
    expect(words).toEqual(expect.arrayContaining(['gardenias@example.org', 'gardenias']));
  });

  test('who is gone has no contacts to change', async () => {
    expect(await add('nobody', email('b@example.com'))).toBeUndefined();
    expect(await remove('nobody', 'b@example.com')).toBeUndefined();
    expect(await makeMain(stores.accounts, 'nobody', 'b@example.com', NOW)).toBeUndefined();
    expect(await restoreContacts(stores.accounts, 'nobody', sampleAccount('ana'), NOW)).toBeUndefined();
  });
});
