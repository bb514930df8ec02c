import { generateKeyPair, type KeyPairKeyObjectResult, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { JWK } from 'oidc-provider';

const makePair = promisify(generateKeyPair) as (type: string, options: object) => Promise<KeyPairKeyObjectResult>;

/** A new pair of signing keys: ES256 for all, RS256 for relying parties that ask for it (RFC 7518 3.1). */
export async function makeSigningKeys(): Promise<JWK[]> {
  const [ec, rsa] = await Promise.all([
    makePair('ec', { namedCurve: 'P-256' }),
    makePair('rsa', { modulusLength: 2048 }),
  ]);
  return [signingKey(ec, 'ES256'), signingKey(rsa, 'RS256')];
}

const signingKey = ({ privateKey }: KeyPairKeyObjectResult, alg: string): JWK => ({
  ...(privateKey.export({ format: 'jwk' }) as JWK),
  use: 'sig',
  alg,
  kid: randomBytes(16).toString('base64url'),
});
