import { type Configuration, errors, interactionPolicy, type JWK, type KoaContextWithOIDC } from 'oidc-provider';
import { type Clock, seconds } from '../core/clock.ts';
import { ACR } from '../core/journey/authorizationRequest.ts';
import { type SessionLimits, sessionTtl } from '../core/session/limits.ts';
import type { Stores } from '../core/storage/stores.ts';
import { artifactAdapter, clientAdapter } from './adapter.ts';
import { CLAIMS_BY_SCOPE, memberClaims } from './claims.ts';
import { loadGrantFrom } from './grants.ts';
import type { OurSession } from './sessions.ts';

/** The pages that oidc-provider asks us to show. */
interface OidcPages {
  error(
    ctx: KoaContextWithOIDC,
    out: { error: string; error_description?: string | undefined },
    error: Error,
  ): Promise<void>;
  confirmSignOut(ctx: KoaContextWithOIDC, formToken: string): Promise<void>;
  signedOut(ctx: KoaContextWithOIDC): Promise<void>;
}

export interface OidcDependencies {
  readonly issuer: string;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly cookieKeys: readonly string[];
  readonly jwks: readonly JWK[];
  readonly pages: OidcPages;
  readonly limits: SessionLimits;
  /** Hears of each refresh before it is answered. */
  readonly onRefresh: (ctx: KoaContextWithOIDC) => Promise<void>;
  /** Hears of each authorization request that needs the member. */
  readonly onInteraction: (interactionId: string, clientId: string) => Promise<void>;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** Every choice of ours in oidc-provider's configuration; its defaults are demonstration values. */
export function oidcConfiguration(deps: OidcDependencies): Configuration {
  const { stores, clock, pages } = deps;
  return {
    adapter: (kind) =>
      kind === 'Client' ? clientAdapter(stores.clients) : artifactAdapter(kind, stores.expiring, clock),
    jwks: { keys: [...deps.jwks] },
    cookies: {
      keys: [...deps.cookieKeys],
      names: cookieNames(deps.issuer),
      long: { httpOnly: true, sameSite: 'lax', signed: true },
      short: { httpOnly: true, sameSite: 'lax', signed: true },
    },
    clockTolerance: 5,
    claims: { ...mutable(CLAIMS_BY_SCOPE), iss: null, sid: null },
    scopes: ['openid', 'offline_access'],
    acrValues: Object.values(ACR),
    clientDefaults: {
      grant_types: ['authorization_code'],
      response_types: ['code'],
      id_token_signed_response_alg: 'ES256',
    },
    responseTypes: ['code'],
    subjectTypes: ['public'],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    enabledJWA: {
      idTokenSigningAlgValues: ['ES256', 'RS256'],
      userinfoSigningAlgValues: ['ES256', 'RS256'],
      clientAuthSigningAlgValues: ['ES256', 'RS256', 'PS256', 'EdDSA'],
    },
    extraClientMetadata: { properties: ['first_party'] },
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx) => pages.confirmSignOut(ctx, String(ctx.oidc.session?.state?.secret ?? '')),
        postLogoutSuccessSource: (ctx) => pages.signedOut(ctx),
      },
      userinfo: { enabled: true },
      claimsParameter: { enabled: true },
      revocation: {
        enabled: true,
        allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId,
      },
      resourceIndicators: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
    },
    clientBasedCORS: (_ctx, origin, client) =>
      (client.redirectUris ?? []).some((uri) => URL.parse(uri)?.origin === origin),
    discovery: { ui_locales_supported: ['en', 'es'] },
    interactions: {
      policy: interactionPolicyWithChoice(),
      url: async (_ctx, interaction) => {
        await deps.onInteraction(interaction.uid, String(interaction.params.client_id));
        return `/interaction/${interaction.uid}`;
      },
    },
    findAccount: async (_ctx, id) => {
      const account = await stores.accounts.find(id);
      return account === undefined ? undefined : { accountId: id, claims: async () => memberClaims(account) };
    },
    loadExistingGrant: loadGrantFrom(stores.consents, clock),
    // A client with the refresh grant gets a token that ends with the session, unless it may outlive it.
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: async (_ctx, source) => !source.scopes.has('offline_access'),
    async rotateRefreshToken(ctx) {
      await deps.onRefresh(ctx);
      return true;
    },
    renderError: (ctx, out, error) => pages.error(ctx, out, error),
    ttl: {
      AccessToken: 10 * MINUTE,
      AuthorizationCode: 1 * MINUTE,
      IdToken: 10 * MINUTE,
      Interaction: 1 * HOUR,
      Grant: 90 * 24 * HOUR,
      RefreshToken: (_ctx, token) => (token.scopes.has('offline_access') ? 30 * 24 * HOUR : deps.limits.overall),
      Session: (_ctx, session) => sessionTtl(deps.limits, session as OurSession, seconds(clock)),
    },
  };
}

/** oidc-provider's prompts, and the one that lets the member choose an account (OpenID Connect Core 3.1.2.1). */
function interactionPolicyWithChoice() {
  const { base, Check, Prompt } = interactionPolicy;
  const policy = base();
  policy.add(new Prompt({ name: 'select_account', requestable: true }), 0);
  const login = policy.get('login');
  // oidc-provider would ask for the password for ever: no sign-in reaches a class that we do not have.
  login?.checks.remove('essential_acrs');
  login?.checks.remove('essential_acr');
  login?.checks.add(new Check('acr_out_of_reach', 'the requested acr cannot be reached', demandReachableAcr));
  return policy;
}

/** Throws where an essential `acr` is none of ours (OpenID Connect Core 5.5.1.1, Unmet Authentication Requirements 1.0). */
function demandReachableAcr({ oidc }: KoaContextWithOIDC): boolean {
  const wanted = oidc.claims.id_token?.acr;
  if (!wanted?.essential) return false;
  const values = wanted.values ?? (wanted.value === undefined ? [] : [wanted.value]);
  if (values.length === 0 || values.some((value) => Object.values<string>(ACR).includes(value))) return false;
  throw new errors.UnmetAuthenticationRequirements('none of the requested acr values can be reached');
}

/** The prefixes bind a cookie to TLS and this host (RFC 6265bis 4.1.3); plain http on loopback cannot carry them. */
function cookieNames(issuer: string) {
  return issuer.startsWith('https:')
    ? { session: '__Host-session', interaction: '__Secure-interaction', resume: '__Secure-resume' }
    : { session: 'session', interaction: 'interaction', resume: 'resume' };
}

const mutable = (scopes: Readonly<Record<string, readonly string[]>>): Record<string, string[]> =>
  Object.fromEntries(Object.entries(scopes).map(([scope, claims]) => [scope, [...claims]]));
