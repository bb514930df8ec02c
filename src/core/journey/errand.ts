import type { Seal } from '../seal.ts';
import type { Expiring } from '../storage/expiring.ts';
import { type Facts, JOURNEY_REMEMBERED_MS, type Requirement } from './journey.ts';

/** What a member comes for besides signing in; also the path under which it begins. */
export const COURSES = ['register', 'forgot-username', 'forgot-password', 'unlock', 'lost-contact', 'letter'] as const;

/** What a member who is signed in changes about their account; begun on its pages. */
export const CHANGES = ['second-step', 'recovery-codes', 'password', 'email', 'phone', 'close'] as const;
export type Change = (typeof CHANGES)[number];

/** What begins by a link of our support desk alone. */
export const INVITED = ['new-second-step'] as const;
export type Course = (typeof COURSES)[number] | (typeof INVITED)[number] | Change;

/** Whether nothing is left of it: only another link begins it anew. */
export const isLinkOver = ({ course, facts }: Pick<Errand, 'course' | 'facts'>): boolean =>
  INVITED.some((one) => one === course) && facts.code === undefined;

/**
 * A journey of its own, outside any authorization request: it may begin on the sign-in page, on a help page or in a
 * message, and outlives the request that it began in. Only the browser that began it gets on with it.
 */
export interface Errand {
  readonly id: string;
  readonly course: Course;
  /** Digest of what the browser's cookie holds. */
  readonly browser: string;
  /** Whose account is changed, and its `deviceEpoch` then; only in their own session, freshly signed in. */
  readonly owner?: { readonly accountId: string; readonly epoch: number };
  /** The sign-in page that it began on, and its app, where it began on one. */
  readonly from?: { readonly interactionId: string; readonly clientId: string };
  /** The language of the page that it began on. */
  readonly locale: string;
  readonly facts: Facts;
  /** For compare-and-swap. */
  readonly version: number;
}

/** What each of them asks for. A second step joins the password's row as soon as an account has one. */
const REQUIREMENTS: Readonly<Record<Course, readonly Requirement[]>> = {
  register: ['person', 'member', 'contact', 'code', 'contacts', 'credentials'],
  'forgot-username': ['person', 'member', 'code'],
  'forgot-password': ['name', 'code', 'replacement'],
  unlock: ['name', 'code'],
  'lost-contact': ['person', 'member', 'code'],
  letter: ['person', 'member', 'code', 'address', 'addressCode'],
  'new-second-step': ['ownPassword', 'enrolment', 'setup', 'codes'],
  'second-step': ['enrolment', 'setup', 'codes'],
  'recovery-codes': ['newCodes', 'codes'],
  password: ['newPassword'],
  email: ['address', 'addressCode'],
  phone: ['address', 'addressCode'],
  close: ['closing', 'closingSure'],
};

/** What this errand asks for in all. An email address that no code has reached yet is confirmed by one. */
export function requirementsOf({ course, facts }: Pick<Errand, 'course' | 'facts'>): ReadonlySet<Requirement> {
  const email = facts.contacts?.email;
  const unseen = email !== undefined && email !== facts.code?.way.to;
  // There is something to wait for only where there is an account.
  const waits = course === 'lost-contact' && facts.member?.accountId !== undefined;
  return new Set<Requirement>([
    ...REQUIREMENTS[course],
    ...(unseen ? (['confirmation'] as const) : []),
    ...(waits ? (['delay'] as const) : []),
    ...(facts.code?.needsSecond ? (['second'] as const) : []),
    ...(facts.credentials?.needsSecond ? (['enrolment', 'setup', 'codes'] as const) : []),
    ...(facts.enrolment?.name === 'text' ? (['number'] as const) : []),
  ]);
}

/** Seconds after the password in which a second step is set up, and in which what a code or a link has opened stays open. */
const SET_UP_WITHIN = 900;
const OPEN_WITHIN = 3_600;
const CLOSES: readonly Course[] = ['forgot-password', 'letter', 'new-second-step'];

/**
 * What still counts of an errand. Whoever finds its page later, on a computer that others use too, sets up nothing: a registration
 * leaves that to the next sign-in, a link of the support desk asks for the password again, and an hour after a code or a link it
 * has served.
 */
export function factsInTime({ course, facts }: Pick<Errand, 'course' | 'facts'>, now: number): Facts {
  const { credentials, ownPassword, code, setup, addressCode, replacement } = facts;
  if (credentials !== undefined && credentials.at + SET_UP_WITHIN <= now)
    return { ...facts, credentials: { at: credentials.at, accountId: credentials.accountId } };
  const isDone = (setup ?? addressCode ?? replacement) !== undefined;
  if (CLOSES.includes(course) && code !== undefined && !isDone && code.at + OPEN_WITHIN <= now) return {};
  if (ownPassword !== undefined && !isDone && ownPassword.at + SET_UP_WITHIN <= now) {
    const { name, code: way } = facts;
    return { ...(name ? { name } : {}), ...(way ? { code: way } : {}) };
  }
  return facts;
}

const PARTS: readonly (readonly Requirement[])[] = [
  ...[['person'], ['member'], ['contact', 'code'], ['contacts', 'confirmation'], ['credentials']],
  ...[['enrolment', 'number', 'setup', 'codes']],
] as const;

/**
 * Which part of how many a screen is, for "Step 2 of 5"; undefined where an errand is too short to count. `needsSecond`: whether
 * a second step is set up as well.
 */
export function progressOf(
  course: Course,
  step: Requirement,
  needsSecond: boolean,
): { readonly part: number; readonly parts: number } | undefined {
  if (course !== 'register') return undefined;
  const parts = needsSecond ? PARTS : PARTS.slice(0, -1);
  return { part: parts.findIndex((steps) => steps.includes(step)) + 1, parts: parts.length };
}

/** The errands that are under way. What a member has told of themself is sealed. */
export function errands(expiring: Expiring, seal: Seal) {
  const key = (id: string) => `errand:${id}`;
  const write = async (errand: Errand, now: number): Promise<boolean> => {
    const { id, version, facts, ...open } = errand;
    const value = { ...open, sealed: seal.seal(JSON.stringify(facts), key(id)) };
    return expiring.swap(key(id), version, value, now + JOURNEY_REMEMBERED_MS);
  };
  return {
    async find(id: string): Promise<Errand | undefined> {
      const entry = await expiring.get(key(id));
      if (entry === undefined) return undefined;
      const { sealed, ...open } = entry.value as Omit<Errand, 'id' | 'facts' | 'version'> & { sealed: string };
      return { ...open, id, facts: JSON.parse(seal.open(sealed, key(id))), version: entry.version };
    },
    /** `facts`: what is known from the beginning. */
    begin: (errand: Omit<Errand, 'version' | 'facts'>, now: number, facts: Facts = {}) =>
      write({ ...errand, facts, version: 0 }, now),
    /** False when another request has moved it on in between. */
    save: write,
  };
}

export type Errands = ReturnType<typeof errands>;
