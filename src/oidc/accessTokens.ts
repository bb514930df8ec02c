import { createLocalJWKSet, errors, type JWK, type JWTPayload, jwtVerify } from 'jose';
import type { Clock } from '../core/clock.ts';
import type { PublishedKeys } from './jwks.ts';

/** What a JWT access token of ours says (RFC 9068 2.2). */
interface AccessToken {
  readonly clientId: string;
  /** The member, or the client itself where it acts for itself. */
  readonly subject: string;
  readonly scopes: readonly string[];
  /** Seconds since 1970. */
  readonly issuedAt: number;
  /** Only who proves to have a key may use it (RFC 7800 3.1: `cnf`). */
  readonly isBound: boolean;
}

interface AccessTokenDependencies {
  readonly issuer: string;
  /** The resource that asks. */
  readonly audience: string;
  readonly keys: () => PublishedKeys;
  readonly clock: Clock;
}

/**
 * Reads a JWT access token as RFC 9068 4 wants it: of our keys, of the type `at+jwt` (so that no ID token passes for one), for
 * this audience, and not expired. Undefined for every other.
 */
export function accessTokenReader({ issuer, audience, keys, clock }: AccessTokenDependencies) {
  return async (token: string): Promise<AccessToken | undefined> => {
    const { jwks } = keys();
    try {
      const { payload } = await jwtVerify(token, createLocalJWKSet({ keys: jwks.map(publicPart) }), {
        ...{ issuer, audience, typ: 'at+jwt', algorithms: ['ES256'], currentDate: new Date(clock.now()) },
        requiredClaims: ['iss', 'aud', 'exp', 'iat', 'jti', 'sub', 'client_id'],
      });
      return described(payload);
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  };
}

const described = ({ client_id, sub, scope, iat, cnf }: JWTPayload): AccessToken => ({
  clientId: String(client_id),
  subject: String(sub),
  scopes: typeof scope === 'string' ? scope.split(' ') : [],
  issuedAt: Number(iat),
  isBound: cnf !== undefined,
});

/** A verifier needs no more, and refuses to verify with a private key. */
const publicPart = ({ kty, crv, x, y, n, e, kid, alg, use }: PublishedKeys['jwks'][number]): JWK =>
  Object.fromEntries(
    Object.entries({ kty, crv, x, y, n, e, kid, alg, use }).filter(([, value]) => value !== undefined),
  ) as unknown as JWK;
