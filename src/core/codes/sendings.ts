import type { Attempts, PoolRule } from '../lockout/attempts.ts';
import { takeAll } from '../lockout/pools.ts';
import type { Way } from './contacts.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const upTo = (free: number, within: number): PoolRule => ({
  ...{ free, firstWait: within, growth: 1, longestWait: within, startsAgain: true },
  ...{ forgetAfter: within, forgetFrom: 'first' },
});

/** How many messages with codes are sent; beyond it nothing is, and the page stays the same (SMS pumping). */
const RULES = {
  recipient: upTo(6, HOUR),
  recipientDay: upTo(15, DAY),
  subject: upTo(8, HOUR),
  network: upTo(40, HOUR),
  sharedNetwork: upTo(800, HOUR),
  email: upTo(100_000, DAY),
  sms: upTo(10_000, DAY),
  voice: upTo(5_000, DAY),
} as const;

export interface Sending {
  /** Whose code it is: an account, a membership, or the name that somebody typed. */
  readonly subject: string;
  /** Undefined where it goes to nobody: the same is counted. */
  readonly way: Way | undefined;
  readonly network: { readonly key: string; readonly shared: boolean };
  /** The password was shown: strangers who ask for codes do not use up what the member needs at sign-in. */
  readonly known?: boolean | undefined;
}

/** Counts a sending. False where one of the caps is reached. */
export async function maySend(
  attempts: Attempts,
  digest: (text: string) => string,
  { subject, way, network, known = false }: Sending,
): Promise<boolean> {
  const kind = known ? 'known:' : '';
  const to = digest(`${kind}to:${way?.to ?? subject}`);
  const by = way === undefined || way.by === 'letter' ? 'email' : way.by;
  const pool = (rule: keyof typeof RULES, key: string) => ({
    ...{ key: `sent:${rule}:${key}`, rule: RULES[rule], cleared: false },
  });
  const taken = await takeAll(attempts, [
    pool(network.shared ? 'sharedNetwork' : 'network', digest(network.key)),
    pool('recipient', to),
    pool('recipientDay', to),
    pool('subject', digest(`${kind}subject:${subject}`)),
    pool(by, way === undefined ? 'nobody' : 'all'),
  ]);
  return taken.ok;
}
