/** Dynamic registration as the suite uses it: a client of its own for each module, which removes itself afterwards. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { systemClock } from '../../../src/adapters/systemClock.ts';
import { seconds } from '../../../src/core/clock.ts';
import { artifactAdapter } from '../../../src/oidc/adapter.ts';
import type { RunningProvider } from '../../support/provider.ts';
import { call, type Reply } from './answers.ts';
import { type RelyingParty, type SuiteClient, suiteClient } from './suite.ts';

/** An initial access token as an administrator gives it out; `without-pkce` frees the clients that it opens from PKCE. */
export async function initialAccessToken({ stores }: RunningProvider, policies: readonly string[]): Promise<string> {
  const jti = randomBytes(32).toString('base64url');
  const iat = seconds(systemClock);
  const tokens = artifactAdapter('InitialAccessToken', {
    ...{ ...stores, clock: systemClock, overall: 43_200 },
    areOver: () => false,
  });
  await tokens.upsert(jti, { jti, iat, exp: iat + 3600, kind: 'InitialAccessToken', policies: [...policies] }, 3600);
  return jti;
}

/** Registers a client over the protocol (OpenID Connect Dynamic Client Registration 1.0, 3). */
export function register(
  { server }: Pick<RelyingParty, 'server'>,
  accessToken: string,
  metadata: object,
): Promise<Reply> {
  return call(String(server.registration_endpoint), {
    method: 'POST',
    headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(metadata),
  });
}

/** What the suite registers. */
export const suiteRegistration = (overrides: object = {}) => ({
  client_name: 'Conformance Suite, registered',
  redirect_uris: ['https://suite.example/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'client_secret_basic',
  contacts: ['certification@suite.example'],
  ...overrides,
});

const MANAGED = z.looseObject({ registration_client_uri: z.url(), registration_access_token: z.string().min(22) });

const REGISTERED = MANAGED.extend({
  client_id: z.string(),
  client_secret: z.string().min(32),
  client_secret_expires_at: z.literal(0),
});

/** The client that an answer to a registration speaks of. */
export function registeredClient({ body }: Reply): SuiteClient {
  const { client_id, client_secret } = REGISTERED.parse(body);
  return suiteClient({ client_id, client_secret });
}

/** Reads (GET) or removes (DELETE) a registration with what the answer to it gave (RFC 7592 2). */
export function manage({ body }: Reply, method: 'GET' | 'DELETE'): Promise<Reply> {
  const { registration_client_uri, registration_access_token } = MANAGED.parse(body);
  const headers = { authorization: `Bearer ${registration_access_token}` };
  return call(registration_client_uri, { method, headers });
}
