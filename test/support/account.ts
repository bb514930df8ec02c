import type { Account } from '../../src/core/account/account.ts';

/** A member's account that nobody can sign in to: its hash is a stand-in. */
export const sampleAccount = (username: string): Account => ({
  username,
  password: { phc: '$argon2id$stand-in', pepperId: 'p1' },
  email: `${username}@example.com`,
  emailConfirmed: true,
  phone: '+12025550143',
  phoneConfirmed: false,
  memberNumber: username,
  firstName: 'Sample',
  lastName: 'Member',
  birthDate: '1951-03-14',
  postalCode: '97201',
  locale: 'en',
  deviceEpoch: 0,
  createdAt: 1,
  updatedAt: 1,
});
