import type { Clock } from '../core/clock.ts';

/** The machine's clock. oidc-provider reads the same one, so the two agree. */
export const systemClock: Clock = { now: () => Date.now() };
