import { describe, expect, test } from '@jest/globals';
import { claimsOf } from '../../src/core/account/account.ts';
import { canonicalMemberNumber, samePerson } from '../../src/core/membership/matching.ts';

const CARD = { firstName: 'José-Luis', lastName: "O'Example Jr", birthDate: '1990-09-09', postalCode: '97214-1234' };

describe('a person is found', () => {
  test.each([
    ['as on the card', {}],
    ['in capitals, without accents', { firstName: 'JOSE-LUIS', lastName: 'O’EXAMPLE JR.' }],
    ['with another mark of the accent', { firstName: 'Jose\u0301-Luis' }],
    ['with spaces for hyphens', { firstName: ' jose  luis ', lastName: 'O Example' }],
    ['in one word', { firstName: 'joseluis', lastName: 'oexample' }],
    ['with another apostrophe', { lastName: 'O`Example' }],
    ['with an accent for an apostrophe', { lastName: 'O´Example, Jr' }],
    ['without the suffix', { lastName: "O'Example" }],
    ['with another suffix', { lastName: "O'Example III" }],
    ['with two', { lastName: "O'Example Sr. II" }],
    ['in full-width forms', { firstName: 'ＪＯＳＥ－ＬＵＩＳ', postalCode: '９７２１４' }],
    ['with the five digits of the ZIP', { postalCode: '97214' }],
    ['with the ZIP in one', { postalCode: '972141234' }],
    ['with another end of the ZIP', { postalCode: '97214 9999' }],
  ])('%s', (_, typed) => {
    expect(samePerson({ ...CARD, ...typed }, CARD)).toBe(true);
    expect(samePerson(CARD, { ...CARD, ...typed })).toBe(true);
  });

  test.each([
    ['ß', 'ss', 'Straße', 'Strasse'],
    ['ø', 'o', 'Søren', 'soren'],
    ['ł', 'l', 'Łukasz', 'LUKASZ'],
    ['ñ', 'n', 'Peña', 'pena'],
  ])('who writes %s as %s', (_, __, firstName, typed) => {
    expect(samePerson({ ...CARD, firstName: typed }, { ...CARD, firstName })).toBe(true);
  });
});

describe('another person is not', () => {
  test.each([
    ['first name', { firstName: 'José' }],
    ['last name', { lastName: 'Example' }],
    ['empty name', { lastName: '' }],
    ['birth date', { birthDate: '1990-09-08' }],
    ['ZIP', { postalCode: '97215' }],
    ['short ZIP', { postalCode: '9721' }],
  ])('by another %s', (_, typed) => expect(samePerson({ ...CARD, ...typed }, CARD)).toBe(false));

  test('by a suffix that is the whole name', () => {
    expect(samePerson({ ...CARD, lastName: 'Sr' }, { ...CARD, lastName: 'Jr' })).toBe(false);
    expect(samePerson({ ...CARD, lastName: 'Iv' }, { ...CARD, lastName: 'IV' })).toBe(true);
  });
});

test.each(['MHP-100-2001', 'mhp 100 2001', ' MHP1002001 ', 'ｍｈｐ－１００－２００１', 'MHP–100–2001'])(
  'the number %j is one and the same, and so is the claim of its account',
  (typed) => {
    expect(canonicalMemberNumber(typed)).toBe('MHP1002001');
    const account = { username: 'sample', email: 'sample@example.com', emailConfirmed: false, memberNumber: typed };
    expect(claimsOf(account)).toContain('member:MHP1002001');
  },
);
