import type { Membership, MembershipDirectory, Person } from '../membership/membership.ts';
import type { Account } from './account.ts';

/** What an account says of its owner, as a card does; undefined for who is no member. */
export function personOf({ firstName, lastName, birthDate, postalCode }: Account): Person | undefined {
  return birthDate === undefined || postalCode === undefined
    ? undefined
    : { firstName, lastName, birthDate, postalCode };
}

/** The membership of an account as the plan knows it now. */
export async function membershipOf(
  directory: Pick<MembershipDirectory, 'find'>,
  account: Account,
): Promise<Membership | undefined> {
  const person = personOf(account);
  return account.memberNumber === undefined || person === undefined
    ? undefined
    : directory.find(account.memberNumber, person);
}
