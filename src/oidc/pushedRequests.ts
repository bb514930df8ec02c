import type { Interaction, Provider } from 'oidc-provider';

const URN = 'urn:ietf:params:oauth:request_uri:';
/** Seconds; the browser opens it at once. */
const LIFE = 60;

/** Whether the client pushed this request (RFC 9126); the types leave the name of the pushed one out. */
export const wasPushed = (interaction: Interaction): boolean =>
  (interaction as { parJti?: string }).parJti !== undefined;

/**
 * Pushes a request anew for the client that pushed it before, in the form in which oidc-provider keeps one. Returns its
 * `request_uri`. The client has shown who it is already; what it may trust stays the same.
 */
export async function pushAgain(
  { PushedAuthorizationRequest, issuer }: Provider,
  { trusted }: Interaction,
  params: Readonly<Record<string, unknown>>,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const claims = { ...params, iss: params.client_id, aud: issuer, iat: now, nbf: now, exp: now + LIFE };
  const request = `${[{ alg: 'none' }, claims].map(base64url).join('.')}.`;
  const dpopJkt = typeof params.dpop_jkt === 'string' ? params.dpop_jkt : undefined;
  return URN + (await new PushedAuthorizationRequest({ request, dpopJkt, trusted }).save(LIFE));
}

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
