/** The time as this system believes it. Everything that compares deadlines asks here, so that a test can move time. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
}

/** Whole seconds, as JWT and oidc-provider count (RFC 7519 NumericDate). */
export const seconds = (clock: Clock): number => Math.floor(clock.now() / 1000);
