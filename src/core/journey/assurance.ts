import type { Account } from '../account/account.ts';
import { hasSecondStep } from '../factors/factors.ts';
import type { Facts, Requirement, SecondFact } from './journey.ts';

/** Authentication context classes: the assurance level of NIST SP 800-63B-4 that was reached. */
export const ACR = {
  /** A password. */
  aal1: 'http://idmanagement.gov/ns/assurance/aal/1',
  /** Two steps. */
  aal2: 'http://idmanagement.gov/ns/assurance/aal/2',
  /** A passkey, alone or as one of the steps: AAL2 that a false page cannot relay (3.2.5). */
  phishingResistant: 'http://idmanagement.gov/ns/assurance/aal/2?phishing_resistant=true',
} as const;

/** From the lowest. */
const CLASSES: readonly (string | undefined)[] = [ACR.aal1, ACR.aal2, ACR.phishingResistant];

/** How high a class stands; 0 for one that is none of ours. */
export const levelOf = (acr: string | undefined): number => CLASSES.indexOf(acr) + 1;

/** The level of a sign-in that a false page cannot relay. */
export const PHISHING_RESISTANT = levelOf(ACR.phishingResistant);

/** Whether a proof answers to our origin alone: that of a key (RFC 8176: `pop`), which only a passkey has. */
export const resistsPhishing = ({ amr }: { readonly amr: readonly string[] }): boolean => amr.includes('pop');

/** The class that was reached: by the second proofs of a sign-in, beside its password or instead of it. */
export function acrReached(proofs: readonly SecondFact[]): string {
  if (proofs.some(resistsPhishing)) return ACR.phishingResistant;
  return proofs.length > 0 ? ACR.aal2 : ACR.aal1;
}

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
  return Math.max(
    policy === 'required' || byClient ? 2 : 1,
    knownLevels(acrValues)[0] ?? 1,
    essential.length > 0 ? Math.min(...knownLevels(essential), PHISHING_RESISTANT) : 1,
  );
}

const knownLevels = (values: readonly string[]): number[] => values.map(levelOf).filter((level) => level > 0);

/**
 * The class that an app is told: the one that it asked for, as far as it was reached. An essential claim has to be answered
 * by one of its values (OpenID Connect Core 5.5.1.1). Who asked for nothing hears the plain level, whatever it was
 * reached by, and so never meets a class that it does not know.
 */
export function acrTold(reached: string | undefined, { acrValues, essential }: Omit<Wanted, 'byClient'>) {
  const level = levelOf(reached);
  const asked = [...essential, ...acrValues].find((value) => levelOf(value) > 0 && levelOf(value) <= level);
  return asked ?? (level >= PHISHING_RESISTANT ? ACR.aal2 : reached);
}

export interface SignIn {
  readonly level: number;
  /** The session's password stands; only its level is too low. */
  readonly stepUp: boolean;
  /** Of whom has typed the password, or whose session it is. */
  readonly account: Pick<Account, 'factors'> | undefined;
  readonly facts: Facts;
  /** The member has shown a second step in this browser, and did not want to be asked for it there for a while. */
  readonly remembered?: boolean;
}

/**
 * Whether a browser that is remembered stands in for the second step: never where more than a password is needed (NIST SP
 * 800-63B-4 5.1), nor for a new password or new terms, nor where others use the computer too.
 */
function passesAsRemembered({ level, facts: { password }, remembered = false }: SignIn): boolean {
  if (!remembered || level > 1 || password === undefined) return false;
  return !password.shared && !password.mustChange && !password.mustAgree;
}

/**
 * What signing in takes, as far as it is known who signs in. There is no way from a password alone past a second step, and
 * none to another one beside it: who has to set up a passkey shows the step that the account has first.
 */
export function signInRequirements(signIn: SignIn): Set<Requirement> {
  const { level, stepUp, account, facts } = signIn;
  if (facts.passkey !== undefined) return new Set();
  const enrolled = account !== undefined && hasSecondStep(account);
  // A session without a second step has shown a password; to set one up it is asked for again.
  const wanted = new Set<Requirement>(stepUp && (enrolled || facts.setup !== undefined) ? [] : ['password']);
  if (account === undefined) return wanted;
  const lacksPasskey = level >= PHISHING_RESISTANT && facts.second !== undefined && !resistsPhishing(facts.second);
  const setsUp = facts.setup !== undefined || lacksPasskey || (!enrolled && level >= 2);
  const passes = enrolled && passesAsRemembered(signIn);
  if (!setsUp && enrolled && !passes) wanted.add('second');
  if (setsUp) for (const step of ['enrolment', 'setup', 'codes'] as const) wanted.add(step);
  if (setsUp && facts.enrolment?.name === 'text') wanted.add('number');
  // Besides what is asked for, and nobody has to; but only after all that the account has.
  if (!setsUp && !passes && facts.password?.offersPasskey) wanted.add('offer');
  if (!setsUp && !passes && facts.offer?.answer === 'make')
    for (const step of ['setup', 'codes'] as const) wanted.add(step);
  return wanted;
}
