/** How long the provider's own session lasts, in seconds (NIST SP 800-63B-4 2.2.3). Each app keeps limits of its own. */
export interface SessionLimits {
  /** Without activity. */
  readonly idle: number;
  /** Without activity on a computer that others use too. */
  readonly sharedIdle: number;
  /** From sign-in on, whatever happens. */
  readonly overall: number;
}

/** Before the end a page says so, this many seconds ahead. */
export const SESSION_WARNING = 150;

/** Seconds that a session has left after activity now: the idle limit, but never past the overall limit. */
export function sessionTtl(
  limits: SessionLimits,
  { loginTs, shared }: { readonly loginTs?: number | undefined; readonly shared?: boolean | undefined },
  now: number,
): number {
  const idle = shared ? limits.sharedIdle : limits.idle;
  const overall = (loginTs ?? now) + limits.overall - now;
  return Math.max(1, Math.min(idle, overall));
}
