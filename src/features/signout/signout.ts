import type { KoaContextWithOIDC } from 'oidc-provider';
import { type ClientRecord, describeApp, findMetadata, formTargets } from '../../core/client/client.ts';
import type { Collection } from '../../core/storage/collection.ts';
import { type PageContext, pageContext } from '../../http/context.ts';
import { allowFormsTo } from '../../http/headers.ts';
import type { Render } from '../../http/render.ts';

export interface SignOutDependencies {
  readonly clients: Collection<ClientRecord>;
  readonly render: Render;
  readonly issuer: string;
}

/** "Sign out?" and "You are signed out": oidc-provider ends the session in between. */
export function signOutPages({ clients, render, issuer }: SignOutDependencies) {
  return {
    async confirmSignOut(ctx: KoaContextWithOIDC, formToken: string): Promise<void> {
      const page: PageContext = pageContext(ctx);
      const client = await findMetadata(clients, ctx.oidc.client?.clientId);
      allowFormsTo(page, client === undefined ? [] : formTargets(client));
      render(page, 'signout/confirm', { formToken, app: client && describeApp(client, issuer) });
    },

    async signedOut(ctx: KoaContextWithOIDC): Promise<void> {
      const client = await findMetadata(clients, ctx.oidc.client?.clientId);
      render(pageContext(ctx), 'signout/done', { app: client && describeApp(client, issuer) });
    },
  };
}
