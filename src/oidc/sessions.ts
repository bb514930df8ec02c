import { createHash } from 'node:crypto';
import type { Context } from 'koa';
import type { KoaContextWithOIDC, Provider, Session } from 'oidc-provider';
import type { Audit } from '../core/audit/event.ts';
import { OWN_CLIENT } from '../core/client/ownClient.ts';
import { type Clock, seconds } from '../core/clock.ts';
import { type SessionLimits, sessionTtl } from '../core/session/limits.ts';
import type { ListedSession } from '../core/session/listedSession.ts';
import type { Expiring } from '../core/storage/expiring.ts';
import { type Schedule, workOff } from '../core/storage/schedule.ts';
import { accountSet, artifactKey, SESSION_ENDS, type SessionEnd } from './adapter.ts';
import type { BackchannelLogout } from './backchannelLogout.ts';
import { isFirstParty } from './grants.ts';

/** oidc-provider's session with what we keep in it besides. */
export type OurSession = Session & { shared?: boolean; epoch?: number; agent?: string; usedAt?: number };

/**
 * Teaches the provider's sessions what ours know: whether the computer is shared, the account's epoch at the sign-in, and what the
 * browser calls itself. The facts come with the result of the sign-in and are stored with the session.
 */
export function extendSessions(provider: Provider, onSignOut: (ctx: object, accountId: string) => void): void {
  const known = provider.Session.IN_PAYLOAD;
  Object.defineProperty(provider.Session, 'IN_PAYLOAD', {
    get: () => [...known, 'shared', 'epoch', 'agent', 'usedAt'],
  });
  provider.on('interaction.ended', (ctx: KoaContextWithOIDC) => {
    const { session, result } = ctx.oidc;
    const { shared, agent } = (result?.login ?? {}) as Pick<OurSession, 'shared' | 'agent'>;
    if (session === undefined) return;
    if (shared !== undefined) (session as OurSession).shared = shared;
    if (agent !== undefined) (session as OurSession).agent = agent;
  });
  // What the browser keeps of this site goes with the session when others use the computer too.
  provider.on('end_session.success', (ctx: KoaContextWithOIDC) => {
    const { accountId, authorizations } = ctx.oidc.session ?? {};
    if (accountId !== undefined) onSignOut(ctx, accountId);
    const apps = Object.keys(authorizations ?? {}).filter((clientId) => clientId !== OWN_CLIENT);
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
  readonly audit: Audit;
}

/** A sweep ends as many sessions as this, and has this long for it before another process may try. */
const AT_ONCE = 100;
const LEASE_MS = 60_000;

/** The sessions of this provider, as our pages see them. */
export function sessions({ provider, limits, clock, expiring, schedule, logout, audit }: SessionsDependencies) {
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

  /** An account's live sessions, as they stand in the store. */
  const sessionsOf = async (accountId: string): Promise<OurSession[]> => {
    const ids = await expiring.members(accountSet('Session', accountId));
    const found = await Promise.all(ids.map((id) => provider().Session.find(id) as Promise<OurSession | undefined>));
    return found.filter((session) => session?.accountId === accountId).filter((session) => session !== undefined);
  };

  const endAll = async (accountId: string, but: string | undefined): Promise<void> => {
    for (const session of await sessionsOf(accountId)) if (session.jti !== but) await end(session);
    for (const grantId of await expiring.members(accountSet('Grant', accountId))) await revokeGrant(grantId);
  };

  const forget = async (accountId: string, clientId: string): Promise<void> => {
    for (const grantId of await expiring.members(accountSet('Grant', accountId))) {
      const grant = await provider().Grant.find(grantId);
      if (grant?.clientId === clientId) await revokeGrant(grantId);
    }
  };

  return {
    touch,

    /** The sessions of an account, the last used first. */
    async list(ctx: object, accountId: string): Promise<ListedSession[]> {
      const here = await provider().Session.get(ctx as Context);
      return (await sessionsOf(accountId))
        .map(({ jti, agent = '', loginTs = 0, usedAt = loginTs, authorizations = {} }) => ({
          ...{ handle: handleOf(jti), agent, startedAt: loginTs, usedAt, isHere: jti === here.jti },
          apps: Object.keys(authorizations).filter((clientId) => clientId !== OWN_CLIENT),
        }))
        .toSorted((a, b) => Number(b.isHere) - Number(a.isHere) || b.usedAt - a.usedAt);
    },

    /** Ends one of an account's sessions. False where it is over already. */
    async endOne(accountId: string, handle: string): Promise<boolean> {
      const session = (await sessionsOf(accountId)).find(({ jti }) => handleOf(jti) === handle);
      if (session !== undefined) await end(session);
      return session !== undefined;
    },

    /** Takes away all that an app was granted by a member, and tells it that their sessions there are over. */
    async disconnect(accountId: string, clientId: string): Promise<void> {
      await forget(accountId, clientId);
      for (const { authorizations = {} } of await sessionsOf(accountId)) {
        const authorization = authorizations[clientId];
        if (authorization !== undefined) await logout.tell(accountId, { [clientId]: authorization });
      }
    },

    /** Who is signed in in this browser, for our own pages; coming to one is activity. */
    async enter(ctx: object) {
      const session: OurSession = await provider().Session.get(ctx as Context);
      const { accountId } = session;
      if (accountId === undefined) return undefined;
      const endsAt = await touch(session);
      const { uid, acr, amr = [], epoch } = session;
      return { uid, accountId, acr, amr, epoch, authTime: session.authTime() ?? 0, endsAt };
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
      await workOff(schedule, SESSION_ENDS, { most: AT_ONCE, lease: LEASE_MS }, async ({ id, value }) => {
        const session: OurSession | undefined = await provider().Session.find(id);
        // Prolonged this very moment, or by somebody who did not come to put it down: it stays listed while it lives.
        if (session?.exp !== undefined) {
          const { accountId = '', authorizations = {} } = session;
          return schedule.put(SESSION_ENDS, id, session.exp * 1000, { accountId, authorizations } satisfies SessionEnd);
        }
        const ended = value as SessionEnd;
        await endAuthorizations(ended);
        // A clock that is set back brings it to life no more: its apps have heard that it is over.
        await expiring.remove(artifactKey('Session', id));
        await audit.record({ action: 'session-expired', subject: { kind: 'account', id: ended.accountId } });
      });
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

/** What stands for a session on a page: its id is a secret. */
const handleOf = (id: string): string => createHash('sha256').update(`session:${id}`).digest('base64url').slice(0, 22);

export type Sessions = ReturnType<typeof sessions>;
