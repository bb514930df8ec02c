import type { Context } from 'koa';
import type { KoaContextWithOIDC, Provider, Session } from 'oidc-provider';
import { type Clock, seconds } from '../core/clock.ts';
import { type SessionLimits, sessionTtl } from '../core/session/limits.ts';
import { isFirstParty } from './grants.ts';

/** oidc-provider's session with what we keep in it besides. */
export type OurSession = Session & { shared?: boolean };

/**
 * Teaches the provider's sessions what ours know: whether the computer is shared. The fact comes with the result of the
 * sign-in and is stored with the session.
 */
export function extendSessions(provider: Provider): void {
  const known = provider.Session.IN_PAYLOAD;
  Object.defineProperty(provider.Session, 'IN_PAYLOAD', { get: () => [...known, 'shared'] });
  provider.on('interaction.ended', (ctx: KoaContextWithOIDC) => {
    const { session, result } = ctx.oidc;
    const shared = (result?.login as { shared?: boolean } | undefined)?.shared;
    if (session !== undefined && shared !== undefined) (session as OurSession).shared = shared;
  });
  // What the browser keeps of this site goes with the session when others use the computer too.
  provider.on('end_session.success', (ctx: KoaContextWithOIDC) => {
    const apps = Object.keys(ctx.oidc.session?.authorizations ?? {});
    ctx.cookies.set(SIGNED_OUT_OF, Buffer.from(JSON.stringify(apps)).toString('base64url'), {
      ...{ httpOnly: true, sameSite: 'lax', signed: true, overwrite: true, maxAge: 60_000, path: '/session/end' },
    });
    if ((ctx.oidc.session as OurSession | undefined)?.shared)
      ctx.set('Clear-Site-Data', '"cache", "cookies", "storage"');
  });
}

/** A minute's note to the page that says what one was signed out of. */
const SIGNED_OUT_OF = 'signed-out-of';

/** The client ids of that note, where there is one. */
export function signedOutOf(ctx: KoaContextWithOIDC): string[] {
  const note = ctx.cookies.get(SIGNED_OUT_OF, { signed: true });
  return note === undefined ? [] : JSON.parse(Buffer.from(note, 'base64url').toString());
}

/** The sessions of this provider, as our pages see them. */
export function sessions(provider: () => Provider, limits: SessionLimits, clock: Clock) {
  /** Activity: the idle limit begins again. Returns when the session ends now, in seconds since 1970. */
  const touch = async (session: OurSession): Promise<number> => {
    const ttl = sessionTtl(limits, session, seconds(clock));
    await session.save(ttl);
    return seconds(clock) + ttl;
  };

  return {
    touch,

    /** This browser's session, or an empty one. */
    of: (ctx: object): Promise<OurSession> => provider().Session.get(ctx as Context),

    /**
     * A refresh by one of the plan's own apps, with a token that hangs on the session, is activity of the member. Called
     * at each refresh, before the answer.
     */
    async touchAtRefresh(ctx: KoaContextWithOIDC): Promise<void> {
      const { RefreshToken: token, Client: client } = ctx.oidc.entities;
      if (client === undefined || !isFirstParty(client) || !token?.expiresWithSession) return;
      const session = await provider().Session.findByUid(String(token.sessionUid));
      if (session !== undefined) await touch(session);
    },
  };
}

export type Sessions = ReturnType<typeof sessions>;
