import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { claimsOfMember } from '../../src/core/account/enrolment.ts';
import { membershipDirectory } from '../../src/parts.ts';
import { TestClock } from '../support/clock.ts';
import { type RunningProvider, SECRETS, startProvider } from '../support/provider.ts';
import { STORE_PAIRS } from '../support/stores.ts';

let provider: RunningProvider;
beforeAll(async () => {
  provider = await startProvider(STORE_PAIRS[0]);
});
afterAll(() => provider.close());

const match = (number: string, person: Parameters<ReturnType<typeof membershipDirectory>['match']>[0]) =>
  membershipDirectory(provider.config, SECRETS, provider.stores, new TestClock()).match(person, number);

test('a fresh start has the memberships of the sample members, which their accounts have claimed', async () => {
  expect(provider.config.members).toHaveLength(2);
  for (const member of provider.config.members) {
    expect((await match(member.memberNumber, member))?.memberNumber).toBe(member.memberNumber);
    const [claim = ''] = claimsOfMember(member).slice(-1);
    expect((await provider.stores.accounts.findByClaim(claim))?.value.username).toBe(member.username);
  }
});

test('and others to register with, typed as people type', async () => {
  const typed = { firstName: 'jose luis', lastName: 'OExample', birthDate: '1990-09-09', postalCode: '97214' };
  expect(await match('mhp 100 2005', typed)).toMatchObject({ memberNumber: 'MHP-100-2005' });
  const merged = { firstName: 'Example', lastName: 'Person', birthDate: '1964-07-21', postalCode: '97202' };
  expect(await match('MHP-100-1003', merged)).toMatchObject({
    ...{ memberNumber: 'MHP-100-2003', formerNumbers: ['MHP-100-1003'] },
  });
});
