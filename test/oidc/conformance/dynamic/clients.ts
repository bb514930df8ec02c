import { expect } from '@jest/globals';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { z } from 'zod';
import type { RunningProvider } from '../../../support/provider.ts';
import type { Reply } from '../answers.ts';
import { initialAccessToken, manage, register, suiteRegistration } from '../registration.ts';
import { discover, relyingParty, suiteClient } from '../suite.ts';

/** A key that a client signs its assertions with (RFC 7523). */
interface ClientKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  /** The public part. */
  readonly jwk: JWK;
}

export async function makeClientKey(kid: string): Promise<ClientKey> {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, use: 'sig', alg: 'RS256' } };
}

const REGISTERED = z.looseObject({ client_id: z.string(), redirect_uris: z.array(z.string()) });

/** What one client does otherwise than most. */
interface Habits {
  readonly key?: ClientKey;
  /** Whom its assertions are meant for. */
  readonly audience?: string;
}

/** Clients as the Dynamic plan registers them: for each module one of its own, with a key instead of a secret. */
export async function dynamicClients(provider: RunningProvider) {
  const server = await discover(provider.issuer);
  const access = await initialAccessToken(provider, ['without-pkce']);
  const usualKey = await makeClientKey('suite');
  const replies: Reply[] = [];

  /** Asks for a registration, whatever comes of it. */
  const ask = (metadata: object): Promise<Reply> =>
    register({ server }, access, {
      ...suiteRegistration({ token_endpoint_auth_method: 'private_key_jwt' }),
      ...{ jwks: { keys: [usualKey.jwk] }, ...metadata },
    });

  return {
    ...{ server, ask },

    /** A client that is registered and ready. */
    async make(metadata: object = {}, habits: Habits = {}) {
      let { key = usualKey } = habits;
      const { audience = server.token_endpoint } = habits;
      const reply = await ask({ jwks: { keys: [key.jwk] }, ...metadata });
      expect(reply).toMatchObject({ status: 201 });
      replies.push(reply);
      const registered = REGISTERED.parse(reply.body);
      const { client_id, redirect_uris } = registered;
      const assertion = async () => ({
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await new SignJWT({ jti: crypto.randomUUID() })
          .setProtectedHeader({ alg: 'RS256', kid: key.kid })
          .setIssuer(client_id)
          .setSubject(client_id)
          .setAudience(audience)
          .setIssuedAt()
          .setExpirationTime('1 minute')
          .sign(key.privateKey),
      });
      const client = suiteClient({ client_id, redirect_uris, client_secret: undefined });
      const party = await relyingParty(provider.issuer, client, { alg: 'RS256', assertion });
      return {
        ...party,
        registered,
        signWith(next: ClientKey) {
          key = next;
        },
      };
    },

    /** Every client removes itself, as the suite does after a module. */
    async removeAll() {
      for (const reply of replies.splice(0)) expect((await manage(reply, 'DELETE')).status).toBe(204);
    },
  };
}

export type DynamicClients = Awaited<ReturnType<typeof dynamicClients>>;
