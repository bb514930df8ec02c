import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../core/clock.ts';
import type { Seal } from '../../core/seal.ts';
import type { Expiring } from '../../core/storage/expiring.ts';
import { isRefused, type Refused, type Reply } from './problems.ts';

export interface IdempotencyDependencies {
  readonly expiring: Expiring;
  readonly seal: Seal;
  readonly clock: Clock;
}

/** What stands under a key: the digest of the body that came first and, once there is one, the answer to it. */
interface Kept {
  readonly digest: string;
  /** Sealed: it has a secret in it. */
  readonly answer?: string;
}

const DAY_MS = 24 * 60 * 60_000;
/** Who dies over a request leaves its key taken for so long. */
const UNDER_WAY_MS = 60_000;
const LOOKS = 100;
const BETWEEN_LOOKS_MS = 50;

const sha256 = (data: Buffer | string): string => createHash('sha256').update(data).digest('base64url');

/**
 * Does once what comes several times under one key, from one client, with one body (draft-ietf-httpapi-idempotency-key-header): all hear
 * the first answer, for a day, also those that come while it is being made. A refusal leaves the key free: nothing was done.
 */
export function onceForEachKey({ expiring, seal, clock }: IdempotencyDependencies) {
  return async (
    clientId: string,
    key: string,
    body: Buffer,
    run: () => Promise<Reply | Refused>,
  ): Promise<Reply | Refused> => {
    const place = `api-key:${sha256(`${clientId} ${key}`)}`;
    const digest = sha256(body);
    for (let look = 0; look < LOOKS; look += 1) {
      const kept = (await expiring.get(place))?.value as Kept | undefined;
      if (kept === undefined) {
        const isOurs = await expiring.swap(place, 0, { digest } satisfies Kept, clock.now() + UNDER_WAY_MS);
        if (isOurs) return first(place, digest, run);
      } else if (kept.digest !== digest) return { problem: 'key-reused' };
      else if (kept.answer !== undefined) return JSON.parse(seal.open(kept.answer, place));
      else await delay(BETWEEN_LOOKS_MS);
    }
    return { problem: 'key-in-use', headers: { 'Retry-After': '10' } };
  };

  async function first(place: string, digest: string, run: () => Promise<Reply | Refused>): Promise<Reply | Refused> {
    let reply: Reply | Refused | undefined;
    try {
      reply = await run();
    } finally {
      if (reply === undefined || isRefused(reply)) await expiring.remove(place);
    }
    if (!isRefused(reply)) {
      const kept: Kept = { digest, answer: seal.seal(JSON.stringify(reply), place) };
      await expiring.put(place, kept, clock.now() + DAY_MS);
    }
    return reply;
  }
}
