import type { Clock } from '../core/clock.ts';

/** Keeps calls from a service that fails, so that nobody waits for it in vain and it can recover. */
export interface CircuitBreaker {
  /** Makes the call, or rejects with a CircuitOpen without making it. */
  run<Answer>(call: () => Promise<Answer>): Promise<Answer>;
  /** False from when calls stop until one succeeds again. */
  isUp(): boolean;
}

/** The service failed a moment ago; it was not asked. */
export class CircuitOpen extends Error {
  override name = 'CircuitOpen';

  constructor() {
    super('not asked: it failed again and again a moment ago');
  }
}

interface Limits {
  /** So many failures in a row stop the calls. */
  readonly failures: number;
  /** Milliseconds until one call may try whether the service is back. */
  readonly pause: number;
}

/** After the pause one call is let through: its success lets all calls through again, its failure begins another pause. */
export function circuitBreaker(clock: Clock, { failures, pause }: Limits): CircuitBreaker {
  let failed = 0;
  /** Of the next try, while calls are stopped. */
  let triesAt: number | undefined;
  /** The others wait until a try has its answer. */
  let isTrying = false;

  /** Whether this call is the one that tries. Throws CircuitOpen when there is none to make. */
  function enter(): boolean {
    if (triesAt === undefined) return false;
    const left = triesAt - clock.now();
    // A clock that was set back stops calls for no longer than the pause.
    if (isTrying || (left > 0 && left <= pause)) throw new CircuitOpen();
    isTrying = true;
    return true;
  }

  function succeeded(isTry: boolean): void {
    // A call from before the stop says nothing about now.
    if (triesAt !== undefined && !isTry) return;
    failed = 0;
    triesAt = undefined;
    isTrying = false;
  }

  function failedOnce(isTry: boolean): void {
    failed += 1;
    if (isTry) isTrying = false;
    if (isTry || (triesAt === undefined && failed >= failures)) triesAt = clock.now() + pause;
  }

  return {
    async run(call) {
      const isTry = enter();
      try {
        const answer = await call();
        succeeded(isTry);
        return answer;
      } catch (error) {
        failedOnce(isTry);
        throw error;
      }
    },
    isUp: () => triesAt === undefined,
  };
}
