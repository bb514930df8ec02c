import { type Account, addressesOf } from '../account/account.ts';
import { canonicalSignInName } from '../account/signInName.ts';
import { canonicalName } from '../membership/matching.ts';
import type { Contact } from '../membership/membership.ts';
import type { Refusal } from '../refusal.ts';
import type { Role } from '../staff/roles.ts';
import type { Stored } from '../storage/collection.ts';

/** Whom an agent is about to help. */
export interface Helped {
  readonly accountId?: string | undefined;
  readonly lastName: string;
  readonly postalCode?: string | undefined;
  readonly contacts: readonly Contact[];
  /** Those of the account; none for who is no staff. */
  readonly roles: readonly Role[];
}

export const helpedOf = ({ id, value }: Stored<Account>, roles: readonly Role[]): Helped => ({
  ...{ accountId: id, lastName: value.lastName, postalCode: value.postalCode, roles },
  contacts: [...addressesOf(value), ...unconfirmed(value)],
});

/** Also an address that nobody has confirmed says whose household it is. */
const unconfirmed = ({ email, phone }: Account): Contact[] => [
  ...(email === undefined ? [] : [{ kind: 'email', to: email } as const]),
  ...(phone === undefined ? [] : [{ kind: 'mobile', to: phone } as const]),
];

/**
 * Why this agent must not help this person, or look at them: themself; who lives with them, by an address or a phone that both
 * have or by the same last name in the same ZIP code; and other staff, whose roles would come along with their account.
 */
export function conflictOf(agent: Stored<Account>, helped: Helped): Refusal | undefined {
  if (helped.accountId === agent.id) return 'own-account';
  if (helped.roles.length > 0) return 'staff-account';
  const own = helpedOf(agent, []);
  const sharesContact = own.contacts.some((one) => helped.contacts.some((other) => isSame(one.to, other.to)));
  const sharesHome =
    own.postalCode !== undefined &&
    own.postalCode.slice(0, 5) === helped.postalCode?.slice(0, 5) &&
    canonicalName(own.lastName) === canonicalName(helped.lastName);
  return sharesContact || sharesHome ? 'relative' : undefined;
}

const isSame = (a: string, b: string): boolean => canonicalSignInName(a) === canonicalSignInName(b);
