import type { Clock } from '../clock.ts';
import { canonicalMemberNumber } from '../membership/matching.ts';
import { sameText } from '../sameText.ts';
import type { Expiring } from '../storage/expiring.ts';
import type { Way } from './contacts.ts';

const MINUTE = 60_000;

/** How long a code is good (NIST SP 800-63B-4 4.2.1.2 allows 10 minutes by phone and a day by email; we: 15 minutes). */
const LIFE_MS: Readonly<Record<Way['by'], number>> = {
  sms: 10 * MINUTE,
  voice: 10 * MINUTE,
  email: 15 * MINUTE,
  letter: 21 * 24 * 60 * MINUTE,
};

export interface CodeDependencies {
  readonly expiring: Expiring;
  readonly clock: Clock;
  /** Six random digits that cannot be foretold. */
  readonly randomCode: () => string;
  /** Keyed, so that the store does not tell the code. */
  readonly digest: (text: string) => string;
}

type Used = { readonly is: 'wrong' | 'expired' | 'used' } | { readonly is: 'right'; readonly way: Way };

/** A record outlives its code, so that who types an old one is told so, and nobody else learns how old it is. */
const KEPT_MS = 24 * 60 * MINUTE;

interface Issued {
  readonly digest: string;
  readonly way: Way;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/**
 * Codes that a person reads in a message and types. Each is good once, and for one purpose: its words say for which
 * journey, whose account or membership, and which address, so that a code that went to one opens nothing of another.
 */
export function codes({ expiring, clock, randomCode, digest }: CodeDependencies) {
  const key = (purpose: string) => `code:${digest(`purpose:${purpose}`)}`;
  const digestOf = (purpose: string, code: string) => digest(`code:${purpose}:${code}`);
  const forNobody = (purpose: string) => digestOf(purpose, `${randomCode()} for nobody`);
  const write = (purpose: string, issued: Issued) =>
    expiring.put(key(purpose), issued, Math.max(issued.until, clock.now() + KEPT_MS));
  return {
    /**
     * Makes a code for one purpose; the one before is good no longer. Returns the code, and until when it is good, in
     * milliseconds since 1970. Without a way it goes to nobody: the same is stored, and no code is right.
     */
    async issue(purpose: string, way: Way | undefined): Promise<{ readonly code: string; readonly until: number }> {
      const code = randomCode();
      const until = clock.now() + LIFE_MS[way?.by ?? 'email'];
      const wanted = way === undefined ? forNobody(purpose) : digestOf(purpose, code);
      // One that was used would stand in the way.
      await expiring.remove(key(purpose));
      if (!(await write(purpose, { digest: wanted, way: way ?? NOWHERE, until })))
        throw new Error('a code was used while another took its place');
      return { code, until };
    },

    /** Where no code may be sent: one for nobody, unless there is one already. What is typed is answered alike. */
    async withhold(purpose: string): Promise<void> {
      const issued: Issued = { digest: forNobody(purpose), way: NOWHERE, until: clock.now() + LIFE_MS.email };
      await expiring.swap(key(purpose), 0, issued, clock.now() + KEPT_MS);
    },

    /** Uses a code. Of two that come at once one is right. The caller has taken an attempt before. */
    async use(purpose: string, typed: string): Promise<Used> {
      const entry = await expiring.get(key(purpose));
      if (entry === undefined) return { is: 'expired' };
      const { digest: wanted, way, until } = entry.value as Issued;
      if (!sameText(digestOf(purpose, typed), wanted)) return { is: 'wrong' };
      if (clock.now() >= until) return { is: 'expired' };
      return (await expiring.spend(key(purpose), clock.now())) ? { is: 'right', way } : { is: 'used' };
    },
  };
}

const NOWHERE: Way = { by: 'email', to: '' };

/**
 * The purpose of the code in a letter to a member: it is good for their membership, on whichever journey. `use`: to open an
 * account, or to put a new contact on the one that there is.
 */
export const letterPurpose = (
  digest: (text: string) => string,
  memberNumber: string,
  use: 'registration' | 'contact' = 'registration',
): string => `letter:${use === 'contact' ? 'contact:' : ''}${digest(canonicalMemberNumber(memberNumber))}`;

export type Codes = ReturnType<typeof codes>;

/** The digits of a code as it was typed; undefined where it is none, which costs no attempt. */
export function readCode(typed: string): string | undefined {
  const digits = typed.normalize('NFKC').replaceAll(/[\s-]/g, '');
  return /^\d{6}$/.test(digits) ? digits : undefined;
}
