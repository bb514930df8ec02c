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

/** Turns what oidc-provider can tell nobody but the member into one of our pages. */
export function protocolErrorPage({ clients, expiring, problems, issuer, isLostRequest }: ProtocolErrorDependencies) {
  return async (
    ctx: KoaContextWithOIDC,
    out: { error: string; error_description?: string | undefined },
    error: Error,
  ): Promise<void> => {
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
