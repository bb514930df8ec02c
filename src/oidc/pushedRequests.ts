import type { Interaction, Provider } from 'oidc-provider';

const URN = 'urn:ietf:params:oauth:request_uri:';
/** Seconds; the browser opens it at once. */
const LIFE = 60;

/**
 * Whether the client pushed this request (RFC 9126) or signed it (RFC 9101), and may have to; the types leave the name of the
 * pushed one out.
 */
export const wasPushedOrSigned = (interaction: Interaction): boolean =>
  (interaction as { parJti?: string }).parJti !== undefined || isTrusted(interaction);

/** Whether parameters came from the client for certain. */
const isTrusted = ({ trusted = [] }: Interaction): boolean => trusted.length > 0;

/**
 * Pushes a request anew for the client that pushed or signed it before, in the form in which oidc-provider keeps one. Returns
 * its `request_uri`. The client has shown who it is already; what it may trust stays the same.
 */
export async function pushAgain(
  { PushedAuthorizationRequest, issuer }: Provider,
  interaction: Interaction,
  params: Readonly<Record<string, unknown>>,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const claims = { ...params, iss: params.client_id, aud: issuer, iat: now, nbf: now, exp: now + LIFE };
  const request = `${[{ alg: 'none' }, claims].map(base64url).join('.')}.`;
  const dpopJkt = typeof params.dpop_jkt === 'string' ? params.dpop_jkt : undefined;
  // An empty list would say that it came from the client for certain.
  const trusted = isTrusted(interaction) ? interaction.trusted : undefined;
  return URN + (await new PushedAuthorizationRequest({ request, dpopJkt, trusted }).save(LIFE));
}

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
