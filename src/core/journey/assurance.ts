import type { Account } from '../account/account.ts';
import { hasSecondStep } from '../factors/factors.ts';
import type { Facts, Requirement } from './journey.ts';

/** Authentication context classes: the assurance level of NIST SP 800-63B-4 that was reached. */
export const ACR = {
  /** A password. */
  aal1: 'http://idmanagement.gov/ns/assurance/aal/1',
  /** Two steps. */
  aal2: 'http://idmanagement.gov/ns/assurance/aal/2',
} as const;

/** How high a class stands; 0 for one that is none of ours. */
export const levelOf = (acr: string | undefined): number => (acr === ACR.aal1 ? 1 : acr === ACR.aal2 ? 2 : 0);

/** `required`: every sign-in takes two steps; `when-enrolled`: where the account has a second one. */
export const MFA_POLICIES = ['required', 'when-enrolled'] as const;
export type MfaPolicy = (typeof MFA_POLICIES)[number];

/** What an app asks for, by its registration and in its request. */
export interface Wanted {
  /** Its registration says `require_mfa`. */
  readonly byClient: boolean;
  /** `acr_values`, in the order of preference (OpenID Connect Core 3.1.2.1). */
  readonly acrValues: readonly string[];
  /** Of the `acr` claim, where it is essential (5.5.1.1). */
  readonly essential: readonly string[];
}

/**
 * The level that a request needs at least. Of `acr_values` the first that we know counts, and is reached; of essential
 * values the lowest is enough.
 */
export function neededLevel(policy: MfaPolicy, { byClient, acrValues, essential }: Wanted): number {
  const known = (values: readonly string[]) => values.map(levelOf).filter((level) => level > 0);
  return Math.max(
    policy === 'required' || byClient ? 2 : 1,
    known(acrValues)[0] ?? 1,
    essential.length > 0 ? Math.min(...known(essential), 2) : 1,
  );
}

export interface SignIn {
  readonly level: number;
  /** The session's password stands; only its level is too low. */
  readonly stepUp: boolean;
  /** Of whom has typed the password, or whose session it is. */
  readonly account: Pick<Account, 'factors'> | undefined;
  readonly facts: Facts;
}

/** What signing in takes, as far as it is known who signs in. There is no way from a password alone past a second step. */
export function signInRequirements({ level, stepUp, account, facts }: SignIn): Set<Requirement> {
  if (facts.passkey !== undefined) return new Set();
  const enrolled = account !== undefined && hasSecondStep(account);
  // A session without a second step has shown a password; to set one up it is asked for again.
  const wanted = new Set<Requirement>(stepUp && (enrolled || facts.setup !== undefined) ? [] : ['password']);
  if (account === undefined) return wanted;
  const setsUp = facts.setup !== undefined || (!enrolled && level >= 2);
  if (!setsUp && enrolled) wanted.add('second');
  if (setsUp) for (const step of ['enrolment', 'setup', 'codes'] as const) wanted.add(step);
  if (setsUp && facts.enrolment?.name === 'text') wanted.add('number');
  return wanted;
}
