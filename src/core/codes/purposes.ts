import { canonicalSignInName } from '../account/signInName.ts';
import type { Facts } from '../journey/journey.ts';
import { canonicalMemberNumber, canonicalPerson } from '../membership/matching.ts';

type Asked = Pick<Facts, 'name' | 'member' | 'contact'>;

/** Whose codes are counted, and for whom alone they are good: a membership, or the account that a name belongs to. */
export function subjectOf({ member, name }: Asked): string {
  if (member !== undefined) return `member:${canonicalMemberNumber(member.found?.memberNumber ?? member.typed)}`;
  return name?.accountId === undefined ? typedOf(name === undefined ? {} : { name }) : `account:${name.accountId}`;
}

/** The same as it was typed, so that two names of one account do not tell that they are. */
export const typedOf = ({ member, name }: Asked): string =>
  member === undefined
    ? `name:${canonicalSignInName(name?.typed ?? '')}`
    : `member:${canonicalMemberNumber(member.typed)}`;

/**
 * Whose letter's code is guessed at. Who gives other details than the member's guesses at nobody's, takes none of the member's
 * tries, and does not see from how many are left that the details are wrong.
 */
export const letterSubject = ({ member, person }: Pick<Facts, 'member' | 'person'>): string => {
  const who = member?.found ?? person;
  return [subjectOf(member === undefined ? {} : { member }), who && canonicalPerson(who)].join(' ');
};

/** What the code of a journey is for. Who goes back and names somebody else, or another address, needs another code. */
export const codePurpose = (journeyId: string, facts: Asked): string =>
  [journeyId, 'code', subjectOf(facts), facts.contact?.way.to ?? ''].join(' ');

/** What the code to a new contact of somebody who is signed in is for. */
export const addressPurpose = (journeyId: string, accountId: string, to: string): string =>
  [journeyId, 'address', accountId, to].join(' ');

/** What the code to a new address is for. */
export const confirmationPurpose = (
  journeyId: string,
  { contacts }: { readonly contacts?: { readonly email?: string | undefined } },
): string => [journeyId, 'confirmation', contacts?.email ?? ''].join(' ');
