import { type Client, errors, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider';
import { apiScope } from '../core/consent/consent.ts';
import { ourMetadata } from './clientRules.ts';

/** An API of the plan for which apps get access tokens (RFC 8707). */
export interface ProtectedResource {
  /** Its resource indicator: an absolute URI without a fragment. */
  readonly resource: string;
  /** What an app may be allowed to do there; in each language the words for the consent page. */
  readonly scopes: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Only a client that acts for itself gets a token for it, never one that acts for a member. */
  readonly forClientsOnly?: boolean;
}

/** Our own API (src/features/api), which no RESOURCES_FILE lists. */
export const ownApi = (issuer: string): ProtectedResource => ({
  resource: `${issuer}/api/v1`,
  scopes: { 'clients:read': {}, 'clients:write': {} },
  forClientsOnly: true,
});

/** Seconds: a token that is verified without asking us cannot be taken back sooner. */
const JWT_LIFE = 300;

/** Access tokens for APIs are JWTs (RFC 9068) of five minutes. */
export function resourceServers(resources: readonly ProtectedResource[]) {
  const byIndicator = new Map(resources.map((one) => [one.resource, one]));
  return {
    enabled: true,
    defaultResource: async () => [],
    useGrantedResource: async () => false,
    async getResourceServerInfo(ctx: KoaContextWithOIDC, indicator: string, client: Client): Promise<ResourceServer> {
      const known = byIndicator.get(indicator);
      if (known === undefined) throw new errors.InvalidTarget('this resource is not known here');
      if (known.forClientsOnly && !actsForItself(ctx))
        throw new errors.InvalidTarget('this resource is for the client_credentials grant only');
      return {
        scope: allowedScopes(Object.keys(known.scopes), ctx, client).join(' '),
        audience: indicator,
        accessTokenFormat: 'jwt',
        accessTokenTTL: JWT_LIFE,
        jwt: { sign: { alg: 'ES256' } },
      };
    },
  };
}

const actsForItself = ({ oidc }: KoaContextWithOIDC): boolean =>
  oidc.route === 'token' && oidc.params?.grant_type === 'client_credentials';

/** The scopes of these APIs that this client may have at all, whether it asked for them or not. */
export function scopesWithin(
  resources: readonly ProtectedResource[],
  indicators: ReadonlySet<string>,
  ctx: KoaContextWithOIDC,
  client: Client,
): readonly string[] {
  return resources
    .filter(({ resource }) => indicators.has(resource))
    .flatMap(({ scopes }) => allowedScopes(Object.keys(scopes), ctx, client));
}

/** A client that acts for itself gets what its registration lists; one that acts for a member, what the member allows. */
function allowedScopes(scopes: readonly string[], ctx: KoaContextWithOIDC, client: Client): readonly string[] {
  const { api_scopes } = ourMetadata(client);
  if (api_scopes === undefined) return actsForItself(ctx) ? [] : scopes;
  const listed = new Set(api_scopes);
  return scopes.filter((one) => listed.has(one));
}

/** The words for a scope of an API on the consent page. */
export function apiWordsOf(resources: readonly ProtectedResource[]) {
  const words = new Map(
    resources.flatMap(({ resource, scopes }) =>
      Object.entries(scopes).map(([scope, text]) => [apiScope({ resource, scope }), text] as const),
    ),
  );
  return (scope: string): Readonly<Record<string, string>> => words.get(scope) ?? { en: scope };
}
