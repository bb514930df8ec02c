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

export interface Facts {
  /** The member goes on as whom they are signed in. */
  readonly account?: { readonly at: number };
  readonly password?: PasswordFact;
  /** The new password that the member chose. */
  readonly renewal?: { readonly at: number };
  readonly consent?: ConsentFact;
}

interface PasswordFact {
  readonly accountId: string;
  /** Seconds since 1970. */
  readonly at: number;
  /** The member said that others use this computer too. */
  readonly shared: boolean;
  /** The account's `deviceEpoch` then: once the password has changed, this proves nothing. */
  readonly epoch: number;
  /** The password was right but may not be used any longer. */
  readonly mustChange?: boolean;
}

interface ConsentFact {
  readonly decision: 'allowed' | 'denied';
  readonly at: number;
}

/** What an authorization request still wants of the member. */
export type Requirement = 'account' | 'password' | 'renewal' | 'consent';

/** The screen to show next: the first requirement, in this order, that no fact meets. */
export function nextStep(facts: Facts, requirements: ReadonlySet<Requirement>): Requirement | 'done' {
  const order: readonly Requirement[] = ['account', 'password', 'renewal', 'consent'];
  const wanted = (step: Requirement) => requirements.has(step) || (step === 'renewal' && facts.password?.mustChange);
  return order.find((step) => wanted(step) && facts[step] === undefined) ?? 'done';
}

/** A journey is remembered for a day, so that an old page still knows the way back to the app that opened it. */
const JOURNEY_REMEMBERED_MS = 24 * 60 * 60 * 1000;

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
