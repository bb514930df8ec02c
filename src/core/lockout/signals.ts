import type { Audit, AuditEntry } from '../audit/event.ts';
import type { Attempts, PoolRule } from './attempts.ts';

const HOUR = 60 * 60_000;

/** The last of so many within an hour raises the signal; the next hour begins then. */
const inAnHour = (free: number): PoolRule => ({
  ...{ free, firstWait: HOUR, growth: 1, longestWait: HOUR, startsAgain: true },
  ...{ forgetAfter: HOUR, forgetFrom: 'first' },
});

/** What is out of the ordinary, and from how many an hour on. None of it stops anybody: the pools of attempts do. */
export const SIGNALS = {
  /** Names that failed from one network: lists of stolen passwords are tried out. A household has few names. */
  stuffing: inAnHour(20),
  /** The same where many members share an address, such as at a clinic. */
  sharedStuffing: inAnHour(300),
  /** Names that failed, from everywhere: a few passwords are tried on many accounts. */
  spraying: inAnHour(500),
  /** Members whom one of the staff has looked at. */
  viewing: inAnHour(40),
} as const satisfies Record<string, PoolRule>;

export const SIGNAL_KINDS = ['stuffing', 'spraying', 'viewing'] as const;

export type SignalKind = (typeof SIGNAL_KINDS)[number];

export interface SignalDependencies {
  readonly attempts: Pick<Attempts, 'take'>;
  readonly digest: (text: string) => string;
  readonly audit: Audit;
  /** Hears of each as well; its name and no more. */
  readonly onRaised: (kind: SignalKind) => void;
}

/**
 * Rates that tell of an attack or of somebody who looks around. Of a name only its first failure from a network is counted, so that
 * who mistypes often is nobody's signal. Each signal is raised once an hour, whichever process counts the last one.
 */
export function riskSignals({ attempts, digest, audit, onRaised }: SignalDependencies) {
  async function count(
    kind: SignalKind,
    rule: PoolRule,
    whose: string,
    entry: Partial<AuditEntry> = {},
  ): Promise<void> {
    const taken = await attempts.take(`signal:${kind}:${digest(whose)}`, rule);
    if (!taken.ok || taken.taken !== rule.free) return;
    onRaised(kind);
    await audit.record({
      action: `signal-${kind}`,
      actor: { kind: 'system' },
      detail: { inAnHour: rule.free },
      ...entry,
    });
  }

  return {
    /** A name has failed for the first time in a day from this network. */
    async failed({ key, shared }: { readonly key: string; readonly shared: boolean }): Promise<void> {
      await Promise.all([
        count('stuffing', SIGNALS[shared ? 'sharedStuffing' : 'stuffing'], key),
        count('spraying', SIGNALS.spraying, ''),
      ]);
    },

    /** One of the staff has looked at a member. */
    viewed: (agentId: string): Promise<void> =>
      count('viewing', SIGNALS.viewing, agentId, { subject: { kind: 'account', id: agentId } }),
  };
}
