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

/** Codes that a person reads in a message and types. Each is bound to what it was asked for, and good once. */
export function codes({ expiring, clock, randomCode, digest }: CodeDependencies) {
  const key = (purpose: string) => `code:${purpose}`;
  const digestOf = (purpose: string, code: string) => digest(`code:${purpose}:${code}`);
  return {
    /**
     * Makes a code for one purpose, such as a journey's; the one before is good no longer. Returns the code, and until when
     * it is good, in milliseconds since 1970. Without a way it goes to nobody: the same is stored, and no code is right.
     */
    async issue(purpose: string, way: Way | undefined): Promise<{ readonly code: string; readonly until: number }> {
      const code = randomCode();
      const until = clock.now() + LIFE_MS[way?.by ?? 'email'];
      const wanted = digestOf(purpose, way === undefined ? `${code} for nobody` : code);
      await expiring.put(key(purpose), { digest: wanted, way: way ?? { by: 'email', to: '' } }, until);
      return { code, until };
    },

    /** Uses a code. Of two that come at once one is right. The caller has taken an attempt before. */
    async use(purpose: string, typed: string): Promise<Used> {
      const entry = await expiring.get(key(purpose));
      if (entry === undefined) return { is: 'expired' };
      const { digest: wanted, way } = entry.value as { digest: string; way: Way };
      if (!sameText(digestOf(purpose, typed), wanted)) return { is: 'wrong' };
      return (await expiring.spend(key(purpose), clock.now())) ? { is: 'right', way } : { is: 'used' };
    },
  };
}

/** The purpose of the code in a letter to a member: it is good for their membership, on whichever journey. */
export const letterPurpose = (digest: (text: string) => string, memberNumber: string): string =>
  `letter:${digest(canonicalMemberNumber(memberNumber))}`;

export type Codes = ReturnType<typeof codes>;

/** The digits of a code as it was typed; undefined where it is none, which costs no attempt. */
export function readCode(typed: string): string | undefined {
  const digits = typed.normalize('NFKC').replaceAll(/[\s-]/g, '');
  return /^\d{6}$/.test(digits) ? digits : undefined;
}
