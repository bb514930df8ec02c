import type { KoaContextWithOIDC } from 'oidc-provider';
import { type App, type ClientDirectory, describeApp, findMetadata, formTargets } from '../../core/client/client.ts';
import { pageContext } from '../../http/context.ts';
import { allowFormsTo } from '../../http/headers.ts';
import type { Render } from '../../http/render.ts';

export interface SignOutDependencies {
  readonly clients: ClientDirectory;
  readonly render: Render;
  readonly issuer: string;
  /** The apps that the session which just ended here was used for, by client id. */
  readonly signedOutOf: (ctx: KoaContextWithOIDC) => readonly string[];
}

/** "Sign out?" and "You are signed out": oidc-provider ends the session in between. */
export function signOutPages({ clients, render, issuer, signedOutOf }: SignOutDependencies) {
  const appOf = async (ctx: object, clientId: string | undefined): Promise<App | undefined> => {
    const metadata = await findMetadata(clients, clientId);
    return metadata && describeApp(metadata, issuer, pageContext(ctx).state.locale);
  };

  return {
    async confirmSignOut(ctx: KoaContextWithOIDC, formToken: string): Promise<void> {
      const page = pageContext(ctx);
      const metadata = await findMetadata(clients, ctx.oidc.client?.clientId);
      const app = metadata && describeApp(metadata, issuer, page.state.locale);
      allowFormsTo(page, metadata === undefined ? [] : formTargets(metadata));
      render(page, namesThisSession(ctx) ? 'signout/leaving' : 'signout/confirm', { formToken, app });
    },

    async signedOut(ctx: KoaContextWithOIDC): Promise<void> {
      const apps = await Promise.all(signedOutOf(ctx).map((clientId) => appOf(ctx, clientId)));
      const app = await appOf(ctx, ctx.oidc.client?.clientId);
      render(pageContext(ctx), 'signout/done', { app, apps: apps.filter((known) => known !== undefined) });
    },
  };
}

/** The app that asks holds an ID token of this very session: it need not be confirmed (RP-Initiated Logout 1.0, 2). */
function namesThisSession({ oidc }: KoaContextWithOIDC): boolean {
  const { payload } = (oidc.entities.IdTokenHint ?? {}) as { payload?: { sub?: unknown; sid?: unknown } };
  const { session, client } = oidc;
  if (payload === undefined || session?.accountId === undefined || client === undefined) return false;
  // A pairwise subject is another one than the account; the sid is this client's alone.
  const namesMember = client.subjectType === 'pairwise' || payload.sub === session.accountId;
  return namesMember && payload.sid === session.sidFor(client.clientId);
}
