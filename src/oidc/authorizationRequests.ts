import type { ParameterizedContext } from 'koa';
import type { Provider } from 'oidc-provider';
import type { AuthorizationRequest, RequestResult } from '../core/journey/authorizationRequest.ts';
import { isLostRequest } from './provider.ts';

/** Authorization requests that wait for the member, as our pages see them. */
export function authorizationRequests(provider: () => Provider) {
  return {
    /** The request with this id that this browser's cookie opens, or undefined when either is gone. */
    async find(ctx: ParameterizedContext, id: string): Promise<AuthorizationRequest | undefined> {
      try {
        const interaction = await provider().interactionDetails(ctx.req, ctx.res);
        if (interaction.uid !== id) return undefined;
        const { params, prompt } = interaction;
        return {
          id,
          clientId: String(params.client_id),
          requirement: prompt.name === 'consent' ? 'consent' : 'password',
          onlyNeedsASession: prompt.reasons.join() === 'no_session',
          scopes: String(params.scope ?? '')
            .split(' ')
            .filter(Boolean),
          claims: strings(prompt.details.missingOIDCClaims),
          ...(interaction.session === undefined ? {} : { accountId: interaction.session.accountId }),
          ...(typeof params.login_hint === 'string' ? { loginHint: params.login_hint } : {}),
          ...(typeof params.ui_locales === 'string' ? { uiLocales: params.ui_locales } : {}),
        };
      } catch (error) {
        if (isLostRequest(error)) return undefined;
        throw error;
      }
    },

    /** Whether this browser has a live session by now. */
    async hasSession(ctx: ParameterizedContext): Promise<boolean> {
      const session = await provider().Session.get(ctx as Parameters<typeof Provider.prototype.Session.get>[0]);
      return session.accountId !== undefined;
    },

    /** Hands the request back to oidc-provider. Returns where the browser goes next. */
    finish(ctx: ParameterizedContext, result: RequestResult): Promise<string> {
      return provider().interactionResult(ctx.req, ctx.res, result);
    },
  };
}

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
