/**
 * Pools of attempts. An attempt is taken before a secret is compared, so that a thousand parallel guesses evaluate no
 * more than the pool allows (NIST SP 800-63B-4 3.2.2, OWASP ASVS 5.0 6.3.1). Each operation is atomic on its own key.
 */
export interface Attempts {
  /** Takes one attempt, or says from when on there is one again. */
  take(key: string, rule: PoolRule): Promise<Taken>;
  /** Takes back an attempt that was no failure after all. */
  giveBack(key: string, rule: PoolRule): Promise<void>;
  /** Empties the pool: the secret was right. */
  clear(key: string): Promise<void>;
}

/** How a pool fills. Durations are milliseconds. */
export interface PoolRule {
  /** This many attempts come without a wait; the last of them begins the first wait. */
  readonly free: number;
  readonly firstWait: number;
  /** Each further attempt multiplies the wait by this. */
  readonly growth: number;
  readonly longestWait: number;
  /** After a wait the count begins again, instead of going on. */
  readonly startsAgain: boolean;
  /** The count is forgotten after this long. */
  readonly forgetAfter: number;
  /** Counted from the first attempt (so many an hour) or from the last one (so many in a row). */
  readonly forgetFrom: 'first' | 'last';
}

/** `taken`: how many are counted now, this one included. */
export type Taken = { readonly ok: true; readonly taken: number } | { readonly ok: false; readonly until: number };

/** What is kept of a pool: how many were taken, from when on the next one is, and when all is forgotten. */
export interface PoolState {
  readonly taken: number;
  readonly next: number;
  readonly deadline: number;
}

/** The rule itself. Redis runs the same in Lua; one contract holds both. */
export function takeFrom(state: PoolState | undefined, rule: PoolRule, now: number): Taken & { state?: PoolState } {
  const live = state !== undefined && state.deadline > now ? state : undefined;
  if (live !== undefined && live.next > now) {
    const until = Math.min(live.next, now + rule.longestWait);
    // It was taken by a clock that was ahead: nobody waits for longer than the rule's longest wait from now on.
    return { ok: false, until, ...(until < live.next ? { state: { ...live, next: until } } : {}) };
  }
  const before = live === undefined || (rule.startsAgain && live.taken >= rule.free) ? 0 : live.taken;
  const taken = before + 1;
  const wait = taken < rule.free ? 0 : Math.min(rule.firstWait * rule.growth ** (taken - rule.free), rule.longestWait);
  // Without a wait nothing depends on the clock, which may be set back.
  const next = wait === 0 ? 0 : now + wait;
  const forget =
    live !== undefined && before > 0 && rule.forgetFrom === 'first' ? live.deadline : now + rule.forgetAfter;
  return { ok: true, taken, state: { taken, next, deadline: Math.max(forget, next) } };
}

/** The state after an attempt was given back. Where attempts are free again, so is the next. */
export function giveBackTo(state: PoolState, rule: PoolRule): PoolState {
  const taken = Math.max(0, state.taken - 1);
  return { ...state, taken, next: taken < rule.free ? 0 : state.next };
}
