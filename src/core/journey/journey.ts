import type { Way } from '../codes/contacts.ts';
import type { Enrollable, Method } from '../factors/factors.ts';
import type { Contact, Membership, Person } from '../membership/membership.ts';
import type { Expiring } from '../storage/expiring.ts';

/**
 * A member's way through our pages for one authorization request. It stores facts ("password proven at t"), never a
 * current page: what comes next is worked out anew each time, so that back, a second tab, a bookmark and a skipped or
 * repeated step are one case.
 */
export interface Journey {
  readonly id: string;
  readonly clientId: string;
  readonly facts: Facts;
  /** For compare-and-swap. */
  readonly version: number;
}

/** What was proven, under the name of its step. `at` is in seconds since 1970. */
export interface Facts {
  /** The member goes on as whom they are signed in. */
  readonly account?: { readonly at: number };
  readonly password?: PasswordFact;
  /** A passkey instead of the password: both steps at once. */
  readonly passkey?: SecondFact & { readonly mustAgree?: boolean };
  /** The second step that the member chose instead of the usual one. */
  readonly method?: { readonly at: number; readonly name: Method };
  /** `remember`: the member does not want to be asked for it in this browser for a while. */
  readonly second?: SecondFact & { readonly remember?: boolean };
  /** What the member said to a passkey, where one was offered. */
  readonly offer?: { readonly at: number; readonly answer: 'make' | 'skip' | 'never' };
  /** Besides a link of our support desk the member has shown the password: second steps may be set up anew. */
  readonly ownPassword?: SecondFact;
  /** The second step that the member sets up. `sealed`: the seed, not yet in use. */
  readonly enrolment?: { readonly at: number; readonly name: Enrollable; readonly sealed?: string };
  /** The phone that is to get codes. */
  readonly number?: { readonly at: number; readonly to: string };
  /** It works: a code of it was right. */
  readonly setup?: SecondFact;
  /** The member wants new recovery codes. */
  readonly newCodes?: { readonly at: number };
  /** Recovery codes that the member has to write down, sealed. */
  readonly fresh?: { readonly at: number; readonly sealed: string };
  /** They have. */
  readonly codes?: { readonly at: number };
  /** The new password that the member chose. */
  readonly renewal?: { readonly at: number };
  /** The password that a member who is signed in has chosen instead of the one before. */
  readonly newPassword?: { readonly at: number };
  /** The contact that the new one is to replace. */
  readonly instead?: { readonly at: number; readonly to: string };
  /** The new contact of a member who is signed in. */
  readonly address?: { readonly at: number; readonly contact: Contact };
  /** The code that went there was typed. */
  readonly addressCode?: { readonly at: number };
  /** The member knows what closing the account means. */
  readonly closing?: { readonly at: number };
  /** And wants it all the same. */
  readonly closingSure?: { readonly at: number };
  /** The plan's texts have changed, and the member has agreed to them again. */
  readonly agreement?: { readonly at: number };
  readonly consent?: ConsentFact;
  /** The member was asked whether their contacts are right. */
  readonly review?: { readonly at: number };

  /** The name that somebody typed who cannot sign in, and the account that it belongs to, if any. */
  readonly name?: {
    readonly at: number;
    readonly typed: string;
    readonly accountId?: string;
    readonly epoch?: number;
    /** The account's second steps then, where a link lets them be set up anew. */
    readonly marks?: string;
  };
  readonly person?: Person & { readonly at: number };
  readonly member?: MemberFact;
  /** Where the code is to go. */
  readonly contact?: { readonly at: number; readonly way: Way };
  /** The code was typed; it had gone this way. */
  readonly code?: {
    readonly at: number;
    readonly way: Way;
    /** The account has a second step, and this was not the way back in that takes a day. */
    readonly needsSecond?: boolean;
    /** The account's `deviceEpoch` then, where the code came in a letter. */
    readonly epoch?: number;
  };
  readonly contacts?: ContactsFact;
  readonly confirmation?: { readonly at: number };
  /** `needsSecond`: every sign-in takes two steps here, so that a second one is set up at once. */
  readonly credentials?: { readonly at: number; readonly accountId: string; readonly needsSecond?: boolean };
  /** When the last code was put down for the phone of a second step. */
  readonly texted?: { readonly at: number };
  /** When the last code was put down to be sent, and how, as far as it may be told. */
  readonly sent?: { readonly at: number; readonly by?: Way['by'] | undefined };
  readonly replacement?: { readonly at: number };
  /** A way back in was asked for that opens at this time. */
  readonly delay?: { readonly at: number; readonly readyAt: number };
}

interface PasswordFact {
  readonly accountId: string;
  /** Seconds since 1970. */
  readonly at: number;
  /** The member said that others use this computer too. */
  readonly shared: boolean;
  /** The account's `deviceEpoch` then: once the password has changed, this proves nothing. */
  readonly epoch: number;
  /** The device can make a passkey, and the member may want one. */
  readonly offersPasskey?: boolean;
  /** The password was right but may not be used any longer. */
  readonly mustChange?: boolean;
  /** The plan's texts have changed since the member agreed to them. */
  readonly mustAgree?: boolean;
}

/** A second step was proven. */
export interface SecondFact {
  readonly at: number;
  readonly accountId: string;
  /** The account's `deviceEpoch` then. */
  readonly epoch: number;
  readonly amr: readonly string[];
}

interface ConsentFact {
  readonly decision: 'allowed' | 'denied';
  readonly at: number;
}

interface MemberFact {
  readonly at: number;
  readonly typed: string;
  /** Undefined where nothing fits and the member is not told so. */
  readonly found?: Membership;
  /**
   * Of the account that holds this membership. For who registers the one that it gets: chosen once, so that a form sent
   * twice opens one.
   */
  readonly accountId?: string;
}

interface ContactsFact {
  readonly at: number;
  readonly email?: string | undefined;
  readonly phone?: string | undefined;
  readonly agreed: Agreements;
}

/** Versions of the texts that a member has agreed to. */
export interface Agreements {
  readonly terms: string;
  readonly privacy: string;
  readonly sms?: string | undefined;
}

/** What a journey still wants of the member. */
export type Requirement = Exclude<keyof Facts, 'sent' | 'texted' | 'fresh' | 'instead'>;

/** The order in which steps are asked for; each journey wants some of them. */
export const ORDER = [
  ...(['account', 'password', 'passkey', 'name', 'person', 'member', 'contact', 'code', 'delay'] as const),
  ...(['method', 'second', 'renewal', 'replacement', 'newPassword', 'agreement', 'offer'] as const),
  ...(['ownPassword', 'enrolment', 'number', 'setup', 'newCodes', 'codes', 'review', 'consent'] as const),
  ...(['contacts', 'confirmation', 'credentials', 'address', 'addressCode', 'closing', 'closingSure'] as const),
] satisfies readonly Requirement[];

/** The screen to show next: the first requirement, in this order, that no fact meets. */
export function nextStep(facts: Facts, requirements: ReadonlySet<Requirement>): Requirement | 'done' {
  const mustChange = facts.password?.mustChange;
  const mustAgree = (facts.password ?? facts.passkey)?.mustAgree;
  const more = new Set([
    ...(mustChange ? ['renewal'] : []),
    ...(mustAgree ? ['agreement'] : []),
    ...(facts.fresh ? ['codes'] : []),
  ]);
  const wanted = (step: Requirement) => requirements.has(step) || more.has(step);
  return ORDER.find((step) => wanted(step) && facts[step] === undefined) ?? 'done';
}

/**
 * The facts that are left when this step is answered anew; undefined where it may not be. Who went back in the browser and
 * mends an answer goes on from there. Once the code was typed, what it rests on stands.
 */
export function factsBefore(
  facts: Facts,
  requirements: ReadonlySet<Requirement>,
  step: Requirement,
): Facts | undefined {
  const from = ORDER.indexOf(step);
  // An account that is open is not opened anew, and what the support desk has let somebody set up is set up once.
  const isDone = facts.credentials !== undefined || (facts.ownPassword !== undefined && facts.setup !== undefined);
  const isReached = facts.code !== undefined && facts.member !== undefined && facts.addressCode !== undefined;
  const settled = isDone || isReached ? ORDER.length : facts.code === undefined ? -1 : ORDER.indexOf('code');
  if (!requirements.has(step) || facts[step] === undefined || from <= settled) return undefined;
  return Object.fromEntries(Object.entries(facts).filter(([name]) => ORDER.indexOf(name as Requirement) < from));
}

/**
 * The facts from which another second step, or another one to set up, is chosen while one of them is due; undefined where
 * that may not be.
 */
export function factsToChooseAnew(facts: Facts, due: Requirement | 'done', step: Requirement): Facts | undefined {
  const { method: _, ...withoutMethod } = facts;
  const { enrolment: __, number: ___, ...withoutEnrolment } = facts;
  if (step === 'method' && due === 'second') return withoutMethod;
  // A passkey is another answer to the question for the password.
  if (step === 'passkey' && due === 'password') return facts;
  const setsUp = due === 'number' || due === 'setup';
  // Who was offered a passkey and finds that it does not work here is asked again.
  const { offer, ...withoutOffer } = withoutEnrolment;
  if (step === 'offer' && setsUp && offer?.answer === 'make') return withoutOffer;
  return step === 'enrolment' && setsUp && offer?.answer !== 'make' ? withoutEnrolment : undefined;
}

/** A journey is remembered for a day, so that an old page still knows the way back to the app that opened it. */
export const JOURNEY_REMEMBERED_MS = 24 * 60 * 60 * 1000;

const journeyKey = (id: string): string => `journey:${id}`;

export async function findJourney(expiring: Expiring, id: string): Promise<Journey | undefined> {
  const entry = await expiring.get(journeyKey(id));
  if (entry === undefined) return undefined;
  const { clientId, facts } = entry.value as Pick<Journey, 'clientId' | 'facts'>;
  return { id, clientId, facts, version: entry.version };
}

export async function beginJourney(expiring: Expiring, id: string, clientId: string, now: number): Promise<void> {
  await expiring.put(journeyKey(id), { clientId, facts: {} }, now + JOURNEY_REMEMBERED_MS);
}

/** Adds facts. False when another request has moved the journey on in between: read it again and show what is next. */
export function addFacts(expiring: Expiring, journey: Journey, facts: Facts, now: number): Promise<boolean> {
  const value = { clientId: journey.clientId, facts: { ...journey.facts, ...facts } };
  return expiring.swap(journeyKey(journey.id), journey.version, value, now + JOURNEY_REMEMBERED_MS);
}
