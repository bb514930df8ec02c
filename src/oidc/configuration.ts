import { createHmac, randomUUID, type X509Certificate } from 'node:crypto';
import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';
import type { Audit } from '../core/audit/event.ts';
import type { ClientDirectory } from '../core/client/client.ts';
import { type Clock, seconds } from '../core/clock.ts';
import { ACR, type MfaPolicy } from '../core/journey/assurance.ts';
import { type SessionLimits, sessionTtl } from '../core/session/limits.ts';
import type { Stores } from '../core/storage/stores.ts';
import { artifactAdapter } from './adapter.ts';
import type { BackchannelLogout } from './backchannelLogout.ts';
import { CLAIMS_BY_SCOPE, judgeClaimsParameter, memberClaims } from './claims.ts';
import { judgeOurMetadata, OUR_METADATA, ourMetadata } from './clientRules.ts';
import { clientAdapter } from './clients.ts';
import { loadGrantFrom } from './grants.ts';
import type { PublishedKeys } from './jwks.ts';
import { type ClientCertificateOf, mutualTls } from './mtls.ts';
import { OUTBOUND_MOST_BYTES, outboundFetch } from './outbound.ts';
import { promptPolicy } from './policy.ts';
import { type ProtectedResource, resourceServers } from './resources.ts';
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
  /** Asks for the code that a device shows; `error` says what was wrong with the last one. */
  deviceCode(ctx: KoaContextWithOIDC, formToken: string, error: Error | undefined): Promise<void>;
  confirmDevice(ctx: KoaContextWithOIDC, formToken: string, clientId: string, userCode: string): Promise<void>;
  deviceDone(ctx: KoaContextWithOIDC): Promise<void>;
}

/** Who may register clients over the protocol: nobody, who holds an initial access token, or anybody. */
type DynamicRegistration = 'off' | 'token' | 'open';

export interface OidcDependencies {
  readonly issuer: string;
  readonly stores: Stores;
  readonly directory: ClientDirectory;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly cookieKeys: readonly string[];
  readonly keys: PublishedKeys;
  readonly pages: OidcPages;
  readonly limits: SessionLimits;
  /** Whether all that began then, in seconds since 1970, was ended. */
  readonly areOver: (began: number) => boolean;
  readonly resources: readonly ProtectedResource[];
  readonly registration: DynamicRegistration;
  /** Origins in private networks that may be fetched. */
  readonly outboundAllow: readonly string[];
  /** Undefined where no proxy hands certificates on. */
  readonly certificateOf: ClientCertificateOf | undefined;
  readonly certificateAuthorities: readonly X509Certificate[];
  /** The origin at which the proxy asks clients for certificates; ours where it does so everywhere. */
  readonly mtlsOrigin: string | undefined;
  readonly logout: Pick<BackchannelLogout, 'tellOne'>;
  /** Hears of each refresh before it is answered. */
  readonly onRefresh: (ctx: KoaContextWithOIDC) => void;
  /** The request that is being answered, if one is. */
  readonly request: () => object | undefined;
  readonly mfaPolicy: MfaPolicy;
  /** Our own page that a sign-in for any app may end at; see `allowTestCallback`. */
  readonly testCallback?: string;
  /** Hears of each sign-out by the member; off the request's path. */
  readonly onSignOut: (ctx: object, accountId: string) => void;
  /** Hears of each authorization request that needs the member. */
  readonly onInteraction: (interactionId: string, clientId: string) => Promise<void>;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** Every choice of ours in oidc-provider's configuration; its defaults are demonstration values. */
export function oidcConfiguration(deps: OidcDependencies): Configuration {
  const { stores, directory, clock, pages, keys } = deps;
  const { expiring, schedule, clients } = stores;
  return {
    adapter: (kind) =>
      kind === 'Client'
        ? clientAdapter({
            ...{ directory, clients, clock, changes: stores.clientChanges, newId: randomUUID },
            cameBy: deps.registration === 'open' ? 'open registration' : 'initial access token',
          })
        : artifactAdapter(kind, {
            ...{ expiring, schedule, clock, overall: deps.limits.overall },
            ...{ areOver: deps.areOver, request: deps.request },
          }),
    jwks: { keys: [...keys.jwks] },
    cookies: {
      keys: [...deps.cookieKeys],
      names: cookieNames(deps.issuer),
      long: { httpOnly: true, sameSite: 'lax', signed: true },
      short: { httpOnly: true, sameSite: 'lax', signed: true },
    },
    clockTolerance: 10,
    allowOmittingSingleRegisteredRedirectUri: false,
    claims: { ...mutable(CLAIMS_BY_SCOPE), iss: null, sid: null },
    scopes: ['openid', 'offline_access'],
    acrValues: Object.values(ACR),
    // OpenID's own defaults, for clients that register themselves (Dynamic Client Registration 1.0, 2).
    clientDefaults: {
      grant_types: ['authorization_code'],
      response_types: ['code'],
      id_token_signed_response_alg: 'RS256',
    },
    responseTypes: ['code'],
    subjectTypes: ['public', 'pairwise'],
    pairwiseIdentifier: async (_ctx, accountId, client) =>
      createHmac('sha256', keys.salt).update(`${client.sectorIdentifier}|${accountId}`).digest('base64url'),
    clientAuthMethods: [
      ...(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'] as const),
      ...(deps.certificateOf === undefined ? [] : (['self_signed_tls_client_auth'] as const)),
      ...(deps.certificateOf !== undefined && deps.certificateAuthorities.length > 0
        ? (['tls_client_auth'] as const)
        : []),
    ],
    enabledJWA: {
      idTokenSigningAlgValues: ['ES256', 'RS256'],
      userinfoSigningAlgValues: ['ES256', 'RS256'],
      requestObjectSigningAlgValues: ['ES256', 'RS256', 'PS256', 'EdDSA'],
      clientAuthSigningAlgValues: ['ES256', 'RS256', 'PS256', 'EdDSA'],
      dPoPSigningAlgValues: ['ES256', 'PS256', 'EdDSA'],
    },
    extraClientMetadata: { properties: [...OUR_METADATA], validator: judgeOurMetadata },
    pkce: {
      required: (ctx, client) => ctx.oidc.isFapi('2.0') !== undefined || ourMetadata(client).require_pkce !== false,
    },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx) => pages.confirmSignOut(ctx, formTokenOf(ctx)),
        postLogoutSuccessSource: (ctx) => pages.signedOut(ctx),
      },
      backchannelLogout: { enabled: true },
      userinfo: { enabled: true },
      jwtUserinfo: { enabled: true },
      claimsParameter: { enabled: true, assertClaimsParameter: judgeClaimsParameter },
      requestObjects: { enabled: true },
      pushedAuthorizationRequests: { enabled: true },
      dPoP: { enabled: true },
      mTLS:
        deps.certificateOf === undefined
          ? { enabled: false }
          : mutualTls(deps.certificateOf, deps.certificateAuthorities),
      fapi: { enabled: true, profile: (_ctx, client) => ourMetadata(client).fapi_profile },
      clientCredentials: { enabled: true },
      deviceFlow: {
        enabled: true,
        charset: 'base-20',
        mask: '****-****',
        userCodeInputSource: (ctx, _form, _out, error) => pages.deviceCode(ctx, formTokenOf(ctx), error),
        userCodeConfirmSource: (ctx, _form, client, _info, userCode) =>
          pages.confirmDevice(ctx, formTokenOf(ctx), client.clientId, userCode),
        successSource: (ctx) => pages.deviceDone(ctx),
      },
      introspection: {
        enabled: true,
        // A token ends with its client (RFC 7662 2.2), which oidc-provider takes to be there still.
        allowedPolicy: async (_ctx, client, token) =>
          token.clientId === client.clientId ||
          (ourMetadata(client).introspects_all_tokens === true &&
            (await directory.find(String(token.clientId))) !== undefined),
      },
      revocation: {
        enabled: true,
        allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId,
      },
      resourceIndicators: resourceServers(deps.resources),
      registration: {
        enabled: deps.registration !== 'off',
        initialAccessToken: deps.registration === 'token',
        ...(deps.registration === 'token' ? { policies: REGISTRATION_POLICIES } : {}),
      },
      registrationManagement: { enabled: deps.registration !== 'off', rotateRegistrationAccessToken: true },
    },
    fetch: outboundFetch(deps.outboundAllow),
    fetchResponseBodyLimits: { jwks_uri: OUTBOUND_MOST_BYTES, sector_identifier_uri: OUTBOUND_MOST_BYTES },
    clientBasedCORS: (_ctx, origin, client) =>
      (client.redirectUris ?? []).some((uri) => URL.parse(uri)?.origin === origin),
    discovery: {
      ui_locales_supported: ['en', 'es'],
      ...(deps.mtlsOrigin === undefined ? {} : { mtls_endpoint_aliases: aliases(deps.mtlsOrigin) }),
    },
    interactions: {
      policy: promptPolicy({ mfaPolicy: deps.mfaPolicy, clock }),
      url: async (_ctx, interaction) => {
        await deps.onInteraction(interaction.uid, String(interaction.params.client_id));
        return `/interaction/${interaction.uid}`;
      },
    },
    findAccount: async (_ctx, id) => {
      const account = await stores.accounts.find(id);
      // Also where a process died between the pause of an account and the end of what it had open.
      if (account === undefined || account.value.frozenAt !== undefined) return undefined;
      // `member`: for our own checks of the same request.
      const found = { accountId: id, member: account.value, claims: async () => memberClaims(account) };
      return found;
    },
    loadExistingGrant: loadGrantFrom(stores.consents, clock),
    // A client with the refresh grant gets a token that ends with the session, unless it may outlive it.
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: async (_ctx, source) => !source.scopes.has('offline_access'),
    // FAPI 2.0 5.3.2.1 forbids it for tokens that are bound to their sender.
    async rotateRefreshToken(ctx) {
      deps.onRefresh(ctx);
      return ctx.oidc.isFapi('2.0') === undefined;
    },
    renderError: (ctx, out, error) => pages.error(ctx, out, error),
    ttl: {
      AccessToken: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? 10 * MINUTE,
      AuthorizationCode: 1 * MINUTE,
      ClientCredentials: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? 10 * MINUTE,
      DeviceCode: 10 * MINUTE,
      RegistrationAccessToken: 10 * 365 * 24 * HOUR,
      IdToken: 10 * MINUTE,
      Interaction: 1 * HOUR,
      Grant: 90 * 24 * HOUR,
      RefreshToken: (_ctx, token) => (token.scopes.has('offline_access') ? 30 * 24 * HOUR : deps.limits.overall),
      Session: (_ctx, session) => sessionTtl(deps.limits, session as OurSession, seconds(clock)),
    },
  };
}

/** What an administrator may put into an initial access token. Where none is asked for, oidc-provider takes no policies. */
const REGISTRATION_POLICIES: NonNullable<NonNullable<Configuration['features']>['registration']>['policies'] = {
  member: () => undefined,
  'without-pkce': (_ctx, metadata) => {
    if (metadata.token_endpoint_auth_method !== 'none') metadata.require_pkce = false;
  },
};

/** The prefixes bind a cookie to TLS and this host (RFC 6265bis 4.1.3); plain http on loopback cannot carry them. */
function cookieNames(issuer: string) {
  return issuer.startsWith('https:')
    ? { session: '__Host-session', interaction: '__Secure-interaction', resume: '__Secure-resume' }
    : { session: 'session', interaction: 'interaction', resume: 'resume' };
}

/** The token that ties a form of ours to oidc-provider's session. */
const formTokenOf = ({ oidc }: KoaContextWithOIDC): string => String(oidc.session?.state?.secret ?? '');

/** Where a client shows its certificate (RFC 8705 5). */
const aliases = (origin: string) => ({
  token_endpoint: `${origin}/token`,
  revocation_endpoint: `${origin}/token/revocation`,
  introspection_endpoint: `${origin}/token/introspection`,
  device_authorization_endpoint: `${origin}/device/auth`,
  pushed_authorization_request_endpoint: `${origin}/request`,
  userinfo_endpoint: `${origin}/me`,
});

const mutable = (scopes: Readonly<Record<string, readonly string[]>>): Record<string, string[]> =>
  Object.fromEntries(Object.entries(scopes).map(([scope, claims]) => [scope, [...claims]]));
