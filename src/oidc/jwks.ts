import { generateKeyPair, type KeyPairKeyObjectResult, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { Middleware } from 'koa';
import type { JWK } from 'oidc-provider';
import { type Clock, seconds } from '../core/clock.ts';
import {
  changeKeyRing,
  hasNext,
  type KeyRing,
  type KeyTiming,
  loadOrMakeKeyRing,
  published,
  rotatesAt,
  withNewKeys,
} from '../core/keys/keyRing.ts';
import type { Seal } from '../core/seal.ts';
import type { Collection } from '../core/storage/collection.ts';

export interface SigningKeysDependencies {
  readonly keyRings: Collection<KeyRing>;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly timing: KeyTiming;
  /** Seconds after which keys are replaced by themselves where nobody has set another time; 0 for never. */
  readonly rotateEvery: number;
}

/** The keys that a node publishes and signs with. */
export interface PublishedKeys {
  readonly jwks: readonly JWK[];
  /** Makes pairwise subjects (OpenID Connect Core 8.1). */
  readonly salt: string;
}

const SALT = 'pairwise salt';

const makePair = promisify(generateKeyPair) as (type: string, options: object) => Promise<KeyPairKeyObjectResult>;

/** The provider's signing keys: ES256 for all, RS256 for relying parties that ask for it (RFC 7518 3.1). */
export function signingKeys({ keyRings, seal, clock, timing, rotateEvery }: SigningKeysDependencies) {
  const sealed = (pair: KeyPairKeyObjectResult, alg: string) => {
    const kid = randomBytes(16).toString('base64url');
    const jwk = { ...pair.privateKey.export({ format: 'jwk' }), use: 'sig', alg, kid };
    return { kid, alg, sealed: seal.seal(JSON.stringify(jwk), kid) };
  };

  const make = async () => {
    const [ec, rsa] = await Promise.all([
      makePair('ec', { namedCurve: 'P-256' }),
      makePair('rsa', { modulusLength: 2048 }),
    ]);
    return [sealed(ec, 'ES256'), sealed(rsa, 'RS256')];
  };

  const begin = async (): Promise<KeyRing> => {
    const empty = { keys: [], sealedSalt: seal.seal(randomBytes(32).toString('base64url'), SALT) };
    return withNewKeys(empty, await make(), timing, seconds(clock), true);
  };

  const open = (ring: KeyRing): PublishedKeys => ({
    jwks: published(ring, seconds(clock)).map(({ kid, sealed: text }) => JSON.parse(seal.open(text, kid))),
    salt: seal.open(ring.sealedSalt, SALT),
  });

  const rotationOf = (ring: KeyRing): number => ring.rotateEvery ?? rotateEvery;

  const isOld = (ring: KeyRing): boolean =>
    (rotatesAt(ring, rotationOf(ring)) ?? Number.POSITIVE_INFINITY) <= seconds(clock);

  return {
    /** The keys as they stand; made at the very first start, and replaced when they are old enough. */
    async load(): Promise<PublishedKeys> {
      const ring = await loadOrMakeKeyRing(keyRings, begin);
      return open(isOld(ring) ? await rotated((current) => isOld(current)) : ring);
    },

    list: (): Promise<KeyRing> => loadOrMakeKeyRing(keyRings, begin),

    /** New keys, which take over when every verifier can know them. Does nothing while some are waiting already. */
    rotate: (): Promise<KeyRing> => rotated(() => true),

    /** New keys at once; whatever the old ones signed is void. */
    rotateNow: (): Promise<KeyRing> =>
      changeKeyRing(keyRings, async (ring) => withNewKeys(ring, await make(), timing, seconds(clock), true)),

    /** When new keys come by themselves, in seconds since 1970; undefined for never. */
    rotatesAt: (ring: KeyRing): number | undefined => rotatesAt(ring, rotationOf(ring)),

    /** Seconds after which they do; 0 for never. */
    rotationOf,

    /** Seconds after which they do from now on, 0 for never; undefined for what the settings say. Every node follows within one poll. */
    schedule: (every: number | undefined): Promise<KeyRing> =>
      changeKeyRing(keyRings, async (ring) => ({ ...ring, rotateEvery: every })),

    /**
     * Seals with the current secret what is still of use and sealed with an older one: keys, and the salt of pairwise
     * subjects. Answers with how many there were; with `dryRun` it only counts.
     */
    async reseal(dryRun: boolean): Promise<number> {
      let older = 0;
      const anew = (text: string, purpose: string): string => {
        if (seal.keyOf(text, purpose) !== 'older') return text;
        older += 1;
        return seal.seal(seal.open(text, purpose), purpose);
      };
      await changeKeyRing(keyRings, async (ring) => {
        older = 0;
        const keys = ring.keys.map((key) => ({ ...key, sealed: anew(key.sealed, key.kid) }));
        const resealed = { ...ring, keys, sealedSalt: anew(ring.sealedSalt, SALT) };
        return dryRun || older === 0 ? undefined : resealed;
      });
      return older;
    },
  };

  function rotated(wanted: (ring: KeyRing) => boolean): Promise<KeyRing> {
    return changeKeyRing(keyRings, async (ring) => {
      const now = seconds(clock);
      return wanted(ring) && !hasNext(ring, now) ? withNewKeys(ring, await make(), timing, now) : undefined;
    });
  }
}

export type SigningKeys = ReturnType<typeof signingKeys>;

/** What tells one state of the published keys from another. */
export const fingerprintOf = ({ jwks }: PublishedKeys): string => jwks.map(({ kid }) => kid).join();

/** Lets verifiers keep the public keys for a while; a new key is published for longer than that before it signs. */
export function jwksCache(maxAge: number): Middleware {
  return async (ctx, next) => {
    await next();
    const { oidc } = ctx as { oidc?: { route?: string } };
    if (oidc?.route === 'jwks' && ctx.status === 200) ctx.set('Cache-Control', `public, max-age=${maxAge}`);
  };
}
