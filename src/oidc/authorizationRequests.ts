import type { ParameterizedContext } from 'koa';
import type { Interaction, Provider } from 'oidc-provider';
import { apiScope } from '../core/consent/consent.ts';
import type { AuthorizationRequest, RequestResult } from '../core/journey/authorizationRequest.ts';
import type { Requirement } from '../core/journey/journey.ts';
import { CLAIMS_BY_SCOPE } from './claims.ts';
import { isLostRequest } from './provider.ts';
import type { ProtectedResource } from './resources.ts';
import type { Sessions } from './sessions.ts';

/** Authorization requests that wait for the member, as our pages see them. */
export function authorizationRequests(
  provider: () => Provider,
  sessions: Sessions,
  resources: readonly ProtectedResource[],
) {
  async function endOthersSession(ctx: ParameterizedContext, accountId: string): Promise<void> {
    const session = await sessions.of(ctx);
    if (session.accountId === undefined || session.accountId === accountId) return;
    // The request must not wait for the session that it began in.
    const interaction = await provider().interactionDetails(ctx.req, ctx.res);
    delete interaction.session;
    await interaction.persist();
    await sessions.end(session);
  }

  return {
    /**
     * The request with this id that this browser's cookies open, or undefined when it is gone. A request that began in a
     * session can be answered only in that session, not by the next person at the browser; looking at it is activity.
     */
    async find(ctx: ParameterizedContext, id: string): Promise<AuthorizationRequest | undefined> {
      try {
        const interaction = await provider().interactionDetails(ctx.req, ctx.res);
        if (interaction.uid !== id) return undefined;
        const began = interaction.session?.uid;
        if (began === undefined) return describe(interaction, resources);
        const session = await sessions.of(ctx);
        if (session.uid !== began) return undefined;
        return { ...describe(interaction, resources), sessionEndsAt: await sessions.touch(session) };
      } catch (error) {
        if (isLostRequest(error)) return undefined;
        throw error;
      }
    },

    /** Where the same request begins anew for another member: the app's parameters, with a sign-in of its own. */
    async restartUrl(ctx: ParameterizedContext): Promise<string> {
      const { params } = await provider().interactionDetails(ctx.req, ctx.res);
      const { login_hint: _, id_token_hint: __, prompt, ...kept } = params;
      const query = new URLSearchParams(
        Object.entries(kept).flatMap(([name, value]) =>
          typeof value === 'string' ? [[name, value] as [string, string]] : [],
        ),
      );
      query.set('prompt', String(prompt).includes('consent') ? 'login consent' : 'login');
      return `/auth?${query}`;
    },

    /** Whether this browser has a live session by now. */
    hasSession: async (ctx: ParameterizedContext): Promise<boolean> => (await sessions.of(ctx)).accountId !== undefined,

    /**
     * Hands the request back to oidc-provider. Returns where the browser goes next. The session of another member in
     * this browser ends first: two members are never signed in at once.
     */
    async finish(ctx: ParameterizedContext, result: RequestResult): Promise<string> {
      if (result.login !== undefined) await endOthersSession(ctx, result.login.accountId);
      return provider().interactionResult(ctx.req, ctx.res, result);
    },
  };
}

/** Which of our steps answers which of oidc-provider's prompts. */
const REQUIREMENTS: Readonly<Record<string, Requirement>> = {
  select_account: 'account',
  login: 'password',
  consent: 'consent',
};

function describe(
  { uid, params, prompt, session }: Interaction,
  resources: readonly ProtectedResource[],
): AuthorizationRequest {
  const asked = strings(String(params.scope ?? '').split(' '));
  const indicators = [params.resource].flat();
  const hinted = subjectOf(prompt.details.id_token_hint);
  return {
    id: uid,
    clientId: String(params.client_id),
    requirement: REQUIREMENTS[prompt.name] ?? 'password',
    onlyNeedsASession: prompt.reasons.join() === 'no_session',
    scopes: asked.filter((scope) => scope === 'offline_access' || scope in CLAIMS_BY_SCOPE),
    apiScopes: resources
      .filter(({ resource }) => indicators.includes(resource))
      .flatMap(({ resource, scopes }) =>
        asked.filter((scope) => scope in scopes).map((scope) => apiScope({ resource, scope })),
      ),
    claims: strings(prompt.details.missingOIDCClaims),
    ...(session === undefined ? {} : { accountId: session.accountId }),
    ...(hinted === undefined ? {} : { expectedAccountId: hinted }),
    ...(typeof params.login_hint === 'string' ? { loginHint: params.login_hint } : {}),
    ...(typeof params.ui_locales === 'string' ? { uiLocales: params.ui_locales } : {}),
  };
}

/** The `sub` of an ID token that oidc-provider has verified already. */
function subjectOf(idToken: unknown): string | undefined {
  if (typeof idToken !== 'string') return undefined;
  const payload = JSON.parse(Buffer.from(String(idToken.split('.')[1]), 'base64url').toString());
  return typeof payload.sub === 'string' ? payload.sub : undefined;
}

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string' && item !== '') : [];
