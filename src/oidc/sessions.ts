import type { Context } from 'koa';
import type { KoaContextWithOIDC, Provider, Session } from 'oidc-provider';
import { type Clock, seconds } from '../core/clock.ts';
import { type SessionLimits, sessionTtl } from '../core/session/limits.ts';
import type { Expiring } from '../core/storage/expiring.ts';
import type { Schedule, ScheduledItem } from '../core/storage/schedule.ts';
import { accountSet, SESSION_ENDS, type SessionEnd } from './adapter.ts';
import type { BackchannelLogout } from './backchannelLogout.ts';
import { isFirstParty } from './grants.ts';

/** oidc-provider's session with what we keep in it besides. */
export type OurSession = Session & { shared?: boolean; epoch?: number };

/**
 * Teaches the provider's sessions what ours know: whether the computer is shared, and the account's epoch at the sign-in.
 * The facts come with the result of the sign-in and are stored with the session.
 */
export function extendSessions(provider: Provider): void {
  const known = provider.Session.IN_PAYLOAD;
  Object.defineProperty(provider.Session, 'IN_PAYLOAD', { get: () => [...known, 'shared', 'epoch'] });
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

export interface SessionsDependencies {
  readonly provider: () => Provider;
  readonly limits: SessionLimits;
  readonly clock: Clock;
  readonly expiring: Expiring;
  readonly schedule: Schedule;
  readonly logout: BackchannelLogout;
}

/** A sweep ends as many sessions as this, and has this long for it before another process may try. */
const AT_ONCE = 100;
const LEASE_MS = 60_000;

/** The sessions of this provider, as our pages see them. */
export function sessions({ provider, limits, clock, expiring, schedule, logout }: SessionsDependencies) {
  /** Activity: the idle limit begins again. Returns when the session ends now, in seconds since 1970. */
  const touch = async (session: OurSession): Promise<number> => {
    const ttl = sessionTtl(limits, session, seconds(clock));
    await session.save(ttl);
    return seconds(clock) + ttl;
  };

  /** Ends what hangs on a session: its apps hear of it, and what they were granted for its time is revoked. */
  const endAuthorizations = async ({ accountId, authorizations }: SessionEnd): Promise<void> => {
    await logout.tell(accountId, authorizations);
    const grants = Object.values(authorizations).filter(({ persistsLogout }) => !persistsLogout);
    await Promise.all(grants.map(({ grantId }) => (grantId === undefined ? undefined : revokeGrant(grantId))));
  };

  const revokeGrant = async (grantId: string): Promise<void> => {
    await provider().Grant.adapter.destroy(grantId);
    await provider().AccessToken.adapter.revokeByGrantId(grantId);
  };

  const end = async (session: OurSession): Promise<void> => {
    const { accountId, authorizations = {} } = session;
    // The consequences first: what fails in between is done again.
    if (accountId !== undefined) await endAuthorizations({ accountId, authorizations });
    await session.destroy();
  };

  const endAll = async (accountId: string, but: string | undefined): Promise<void> => {
    for (const id of await expiring.members(accountSet('Session', accountId))) {
      const session = id === but ? undefined : await provider().Session.find(id);
      if (session !== undefined) await end(session);
    }
    for (const grantId of await expiring.members(accountSet('Grant', accountId))) await revokeGrant(grantId);
  };

  return {
    touch,

    /** Who is signed in in this browser, for our own pages; coming to one is activity. */
    async enter(ctx: object) {
      const session: OurSession = await provider().Session.get(ctx as Context);
      const { accountId } = session;
      if (accountId === undefined) return undefined;
      const endsAt = await touch(session);
      const { jti: id, uid, acr, amr = [], epoch } = session;
      return { id, uid, accountId, acr, amr, epoch, authTime: session.authTime() ?? 0, endsAt };
    },

    /** This browser's session, or an empty one. */
    of: (ctx: object): Promise<OurSession> => provider().Session.get(ctx as Context),

    /** Ends a session on any other way than the member's own sign-out. */
    end,

    /** Ends all that an account has open anywhere: its sessions, and what apps were granted beyond them. */
    endAllOf: (accountId: string): Promise<void> => endAll(accountId, undefined),

    /** The same but for the session of this browser, which goes on under another epoch of the account. */
    async keepOnlyThis(ctx: object, accountId: string, epoch: number): Promise<void> {
      const session: OurSession = await provider().Session.get(ctx as Context);
      if (session.accountId === accountId) {
        session.epoch = epoch;
        await touch(session);
      }
      await endAll(accountId, session.jti);
    },

    /** Ends the sessions whose time has run out, so that their apps hear of it. */
    async endExpired(): Promise<void> {
      let due: ScheduledItem[];
      let failure: unknown;
      do {
        due = await schedule.take(SESSION_ENDS, AT_ONCE, LEASE_MS);
        for (const item of due) {
          try {
            // A session that was prolonged this very moment stands in the list anew.
            if ((await provider().Session.find(item.id)) === undefined)
              await endAuthorizations(item.value as SessionEnd);
            await schedule.done(SESSION_ENDS, item);
          } catch (error) {
            // It comes again when its lease is over, and holds up no other.
            failure = error;
          }
        }
      } while (due.length === AT_ONCE);
      if (failure !== undefined) throw failure;
    },

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
