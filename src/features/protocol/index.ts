/**
 * The pages that oidc-provider asks for outside a journey: "Sign out?", "You are signed out", and what went wrong with a
 * request of an app.
 */
import type { KoaContextWithOIDC } from 'oidc-provider';
import { type ClientMetadata, type ClientRecord, describeApp, formTargets } from '../../core/client/client.ts';
import { findJourney } from '../../core/journey/journey.ts';
import type { Collection } from '../../core/storage/collection.ts';
import type { Expiring } from '../../core/storage/expiring.ts';
import { Unavailable } from '../../core/storage/unavailable.ts';
import type { PageContext } from '../../http/context.ts';
import { allowFormsTo } from '../../http/headers.ts';
import type { ProblemPages } from '../../http/problems.ts';
import type { Render } from '../../http/render.ts';

interface ProtocolPageDependencies {
  readonly clients: Collection<ClientRecord>;
  readonly expiring: Expiring;
  readonly render: Render;
  readonly problems: ProblemPages;
  readonly issuer: string;
  readonly isLostRequest: (error: unknown) => boolean;
}

export function protocolPages(deps: ProtocolPageDependencies) {
  /** oidc-provider runs inside our middleware, so that its context is ours too. */
  const page = (ctx: KoaContextWithOIDC) => ctx as unknown as PageContext;
  const registered = async (clientId: string | undefined): Promise<ClientMetadata | undefined> =>
    clientId === undefined ? undefined : (await deps.clients.find(clientId))?.value.metadata;

  return {
    async confirmSignOut(ctx: KoaContextWithOIDC, formToken: string): Promise<void> {
      const client = await registered(ctx.oidc.client?.clientId);
      allowFormsTo(page(ctx), client === undefined ? [] : formTargets(client));
      deps.render(page(ctx), 'signout/confirm', { formToken, app: client && describeApp(client, deps.issuer) });
    },

    async signedOut(ctx: KoaContextWithOIDC): Promise<void> {
      const client = await registered(ctx.oidc.client?.clientId);
      deps.render(page(ctx), 'signout/done', { app: client && describeApp(client, deps.issuer) });
    },

    async error(
      ctx: KoaContextWithOIDC,
      out: { error: string; error_description?: string | undefined },
      error: Error,
    ): Promise<void> {
      if (error instanceof Unavailable || ctx.status >= 500) return deps.problems.failed(page(ctx), error);
      if (!deps.isLostRequest(error)) return deps.problems.appMistake(page(ctx), out, ctx.status);
      const id = ctx.path.split('/').at(-1) ?? '';
      const journey = await findJourney(deps.expiring, id);
      const client = await registered(journey?.clientId);
      deps.problems.expired(page(ctx), client && describeApp(client, deps.issuer));
    },
  };
}
