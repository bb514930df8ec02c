import type { ParameterizedContext } from 'koa';
import type { Interaction, Provider } from 'oidc-provider';
import { apiScope } from '../core/consent/consent.ts';
import type { MfaPolicy } from '../core/journey/assurance.ts';
import type { AuthorizationRequest, RequestResult } from '../core/journey/authorizationRequest.ts';
import type { Requirement } from '../core/journey/journey.ts';
import { CLAIMS_BY_SCOPE, claimsAskedFor } from './claims.ts';
import { ACR_TOO_LOW, levelNeeded } from './policy.ts';
import { isLostRequest } from './provider.ts';
import { pushAgain, wasPushedOrSigned } from './pushedRequests.ts';
import type { ProtectedResource } from './resources.ts';
import type { Sessions } from './sessions.ts';

/** Authorization requests that wait for the member, as our pages see them. */
export function authorizationRequests(
  provider: () => Provider,
  sessions: Sessions,
  resources: readonly ProtectedResource[],
  mfaPolicy: MfaPolicy,
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

  /**
   * Whether this is the member whom the app named, where it did, as it knows them: one account is another subject to each
   * app with pairwise subjects.
   */
  async function isExpected(ctx: ParameterizedContext, accountId: string): Promise<boolean> {
    const { params } = await provider().interactionDetails(ctx.req, ctx.res);
    const expected = subjectsNamed(params);
    if (expected.length === 0) return true;
    const { Client, Claims } = provider();
    const client = await Client.find(String(params.client_id));
    if (client === undefined) return false;
    const { sub } = await new Claims({ sub: accountId }, { client }).scope('openid').result();
    return expected.every((one) => one === sub);
  }

  /** A request that was answered a moment ago, by a second click, goes on with that answer. */
  async function answeredElsewhere(ctx: ParameterizedContext): Promise<string | undefined> {
    try {
      const { result, returnTo } = await provider().interactionDetails(ctx.req, ctx.res);
      return result === undefined ? undefined : returnTo;
    } catch (error) {
      if (isLostRequest(error)) return undefined;
      throw error;
    }
  }

  async function levelOfRequest({ params }: Interaction): Promise<number> {
    const client = await provider().Client.find(String(params.client_id));
    return client === undefined ? 1 : levelNeeded(mfaPolicy, client, params);
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
        const request = { ...describe(interaction, resources), level: await levelOfRequest(interaction) };
        if (began === undefined) return request;
        const session = await sessions.of(ctx);
        if (session.uid !== began) return undefined;
        const { accountId = '', amr = [] } = session;
        const proofs = { accountId, authTime: session.authTime() ?? 0, amr };
        return { ...request, session: proofs, sessionEndsAt: await sessions.touch(session) };
      } catch (error) {
        if (isLostRequest(error)) return undefined;
        throw error;
      }
    },

    /** Where the same request begins anew for another member: the app's parameters, with a sign-in of its own. */
    async restartUrl(ctx: ParameterizedContext): Promise<string> {
      const interaction = await provider().interactionDetails(ctx.req, ctx.res);
      // A device has no request of its own to begin anew: its code is typed again, with nobody signed in.
      if (interaction.deviceCode !== undefined) {
        await sessions.end(await sessions.of(ctx));
        return '/device';
      }
      const { login_hint: _, id_token_hint: __, prompt, ...kept } = interaction.params;
      const parameters = { ...kept, prompt: String(prompt).includes('consent') ? 'login consent' : 'login' };
      const query = wasPushedOrSigned(interaction)
        ? { client_id: kept.client_id, request_uri: await pushAgain(provider(), interaction, parameters) }
        : parameters;
      return `/auth?${new URLSearchParams(pairsOf(query))}`;
    },

    /** Whether this browser has a live session by now. */
    hasSession: async (ctx: ParameterizedContext): Promise<boolean> => (await sessions.of(ctx)).accountId !== undefined,

    /**
     * Hands the request back to oidc-provider. Returns where the browser goes next; undefined when the request is gone. It is
     * answered once: of two answers at the same moment the second goes on with the first. The session of another member in
     * this browser ends first: two members are never signed in at once. There are no tokens for another member than the
     * one that the app named (OpenID Connect Core 3.1.2.2).
     */
    async finish(ctx: ParameterizedContext, result: RequestResult): Promise<string | undefined> {
      const { login } = result;
      try {
        if (login !== undefined && !(await isExpected(ctx, login.accountId)))
          return await provider().interactionResult(ctx.req, ctx.res, ANOTHER_MEMBER);
        if (login !== undefined) await endOthersSession(ctx, login.accountId);
        return await provider().interactionResult(ctx.req, ctx.res, result);
      } catch (error) {
        if (isLostRequest(error)) return answeredElsewhere(ctx);
        throw error;
      }
    },
  };
}

const ANOTHER_MEMBER: RequestResult = {
  error: 'login_required',
  error_description: 'another member signed in than the one asked for',
};

/** Which of our steps answers which of oidc-provider's prompts. */
const REQUIREMENTS: Readonly<Record<string, Requirement>> = {
  select_account: 'account',
  login: 'password',
  contacts: 'review',
  consent: 'consent',
};

function describe(
  { uid, params, prompt, session }: Interaction,
  resources: readonly ProtectedResource[],
): AuthorizationRequest {
  const asked = strings(String(params.scope ?? '').split(' '));
  const indicators = [params.resource].flat();
  return {
    id: uid,
    clientId: String(params.client_id),
    requirement: REQUIREMENTS[prompt.name] ?? 'password',
    level: 1,
    stepUp: prompt.reasons.join() === ACR_TOO_LOW,
    onlyNeedsASession: prompt.reasons.join() === 'no_session',
    scopes: asked.filter((scope) => scope === 'offline_access' || scope in CLAIMS_BY_SCOPE),
    apiScopes: resources
      .filter(({ resource }) => indicators.includes(resource))
      .flatMap(({ resource, scopes }) =>
        asked.filter((scope) => scope in scopes).map((scope) => apiScope({ resource, scope })),
      ),
    claims: strings(prompt.details.missingOIDCClaims),
    ...(session === undefined ? {} : { accountId: session.accountId }),
    ...(typeof params.login_hint === 'string' ? { loginHint: params.login_hint } : {}),
    ...(typeof params.ui_locales === 'string' ? { uiLocales: params.ui_locales } : {}),
  };
}

/** Whom a request is for: by an `id_token_hint`, by a value of the `sub` claim (OpenID Connect Core 5.5.1), or by both. */
function subjectsNamed(params: Interaction['params']): readonly unknown[] {
  const hinted = subjectOf(params.id_token_hint);
  const claimed = claimsAskedFor(params).id_token?.sub ?? {};
  return [...(hinted === undefined ? [] : [hinted]), ...('value' in claimed ? [claimed.value] : [])];
}

/** The `sub` of an ID token that oidc-provider has verified already. */
function subjectOf(idToken: unknown): string | undefined {
  if (typeof idToken !== 'string') return undefined;
  const payload = JSON.parse(Buffer.from(String(idToken.split('.')[1]), 'base64url').toString());
  return typeof payload.sub === 'string' ? payload.sub : undefined;
}

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string' && item !== '') : [];

/** A parameter may come several times (`resource`). */
const pairsOf = (parameters: object): [string, string][] =>
  Object.entries(parameters).flatMap(([name, value]) =>
    strings([value].flat()).map((one): [string, string] => [name, one]),
  );
