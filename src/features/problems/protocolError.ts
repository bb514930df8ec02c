import type { KoaContextWithOIDC } from 'oidc-provider';
import { type ClientDirectory, describeApp, findMetadata } from '../../core/client/client.ts';
import { findJourney } from '../../core/journey/journey.ts';
import type { Expiring } from '../../core/storage/expiring.ts';
import { Unavailable } from '../../core/storage/unavailable.ts';
import { pageContext, seeOther } from '../../http/context.ts';
import type { ProblemPages } from '../../http/problems.ts';

export interface ProtocolErrorDependencies {
  readonly clients: ClientDirectory;
  readonly expiring: Expiring;
  readonly problems: ProblemPages;
  readonly issuer: string;
  /** Whether oidc-provider lost the thread of an authorization request. */
  readonly isLostRequest: (error: unknown) => boolean;
}

/** What a browser visits, by oidc-provider's names. */
const VISITED = new Set([
  ...['authorization', 'resume', 'end_session', 'end_session_confirm', 'end_session_success'],
  ...['code_verification', 'device_resume'],
]);

/**
 * Turns what oidc-provider can tell nobody but the member into one of our pages. Programs call all its other endpoints, and some of
 * them accept pages before JSON without meaning it: their errors are JSON (RFC 6749 5.2, RFC 9126 2.3, RFC 7591 3.2.2).
 */
export function protocolErrorPage({ clients, expiring, problems, issuer, isLostRequest }: ProtocolErrorDependencies) {
  return async (
    ctx: KoaContextWithOIDC,
    out: { error: string; error_description?: string | undefined },
    error: Error,
  ): Promise<void> => {
    if (!VISITED.has(ctx.oidc.route)) {
      ctx.body = out;
      return;
    }
    const page = pageContext(ctx);
    if (error instanceof Unavailable || ctx.status >= 500) return problems.failed(page, error);
    // Signing out must never end in a dead end: a stale page or a wrong hint asks again, plainly.
    if (ctx.oidc.route === 'end_session_confirm' || (ctx.oidc.route === 'end_session' && ctx.querystring !== '')) {
      return seeOther(page, ctx.oidc.session?.accountId === undefined ? '/session/end/success' : '/session/end');
    }
    if (!isLostRequest(error)) return problems.appMistake(page, out, ctx.status);
    const journey = await findJourney(expiring, ctx.path.split('/').at(-1) ?? '');
    const client = await findMetadata(clients, journey?.clientId);
    problems.expired(page, client && describeApp(client, issuer));
  };
}
