import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { Account } from '../core/account/account.ts';
import { OWN_CALLBACK, OWN_CLIENT } from '../core/client/ownClient.ts';
import { type Clock, seconds } from '../core/clock.ts';
import { hasSecondStep } from '../core/factors/factors.ts';
import { ACR, levelOf } from '../core/journey/assurance.ts';
import { sameText } from '../core/sameText.ts';
import type { Collection, Stored } from '../core/storage/collection.ts';
import { agentOf } from './agent.ts';
import { type PageContext, seeOther } from './context.ts';

/** The provider's session of this browser, as far as our own pages need it. */
export interface BrowserSession {
  readonly uid: string;
  readonly accountId: string;
  readonly acr: string | undefined;
  readonly amr: readonly string[];
  /** The account's `deviceEpoch` at the sign-in. */
  readonly epoch: number | undefined;
  /** Seconds since 1970. */
  readonly authTime: number;
  readonly endsAt: number;
}

/** A member who is signed in, at one of our own pages. */
export interface Visit {
  readonly account: Stored<Account>;
  readonly session: BrowserSession;
  /** What the browser calls itself. */
  readonly agent: string;
}

export interface SignedInDependencies {
  readonly accounts: Collection<Account>;
  /** The session of this browser, if there is one; coming here is activity. */
  readonly sessionOf: (ctx: PageContext) => Promise<BrowserSession | undefined>;
  /** The current one first. */
  readonly keys: readonly string[];
  readonly issuer: string;
  readonly clock: Clock;
}

interface Entry {
  readonly fresh?: boolean;
  readonly to?: string;
  readonly hadSecondStep?: boolean;
  /** The level that the session has to have; see `levelOf`. */
  readonly level?: number;
}

/** Seconds for which a sign-in that was asked for by our account pages lets the member change things there. */
const FRESH_FOR = 600;

/** What was shown at a sign-in. */
type Proofs = Pick<BrowserSession, 'accountId' | 'authTime' | 'acr'>;

/**
 * Who is signed in at our own pages. What is sensitive asks for a sign-in of its own, at all that the account can show
 * (NIST SP 800-63B-4 4.1): that leaves a mark in the browser in which it was shown, which is good for the session of this
 * sign-in alone. A session that somebody stole, also one of a moment ago, changes nothing.
 */
export function signedInMembers({ accounts, sessionOf, keys, issuer, clock }: SignedInDependencies) {
  const https = issuer.startsWith('https:');
  const cookie = https ? '__Host-confirmed' : 'confirmed';
  const sign = (key: string, text: string) => createHmac('sha256', key).update(`signed-in:${text}`).digest('base64url');
  const isSigned = (text: string, given: string) => keys.some((key) => sameText(given, sign(key, text)));

  const markOf = ({ accountId, authTime, acr }: Proofs): string => `${accountId} ${authTime} ${acr}`;
  const isFresh = (ctx: PageContext, { account, session }: Visit, hadSecondStep: boolean): boolean => {
    const given = ctx.cookies.get(cookie, { signed: false }) ?? '';
    const highest = hadSecondStep && hasSecondStep(account.value) ? 2 : 1;
    const age = seconds(clock) - session.authTime;
    return age < FRESH_FOR && levelOf(session.acr) >= highest && isSigned(markOf(session), given);
  };

  /** Sends the browser to sign in; afterwards it comes back to `to`. */
  function signIn(
    ctx: PageContext,
    to: string,
    account: Stored<Account> | undefined,
    { fresh, level }: { readonly fresh: boolean; readonly level: number },
  ): undefined {
    const state = Buffer.from(JSON.stringify({ to, fresh, at: seconds(clock) })).toString('base64url');
    const query = {
      ...{ client_id: OWN_CLIENT, redirect_uri: issuer + OWN_CALLBACK, response_type: 'code', scope: 'openid' },
      ...{ state: `${state}.${sign(keys[0] ?? '', state)}`, ui_locales: ctx.state.locale },
      // Of a verifier that is thrown away: nobody redeems the code.
      code_challenge: createHash('sha256').update(randomBytes(32)).digest('base64url'),
      code_challenge_method: 'S256',
      ...(fresh ? { prompt: 'login' } : {}),
      ...(account === undefined ? {} : { login_hint: account.value.username }),
      ...(level > 1 || (account !== undefined && hasSecondStep(account.value)) ? { acr_values: ACR.aal2 } : {}),
    };
    seeOther(ctx, `/auth?${new URLSearchParams(query)}`);
  }

  async function visitOf(ctx: PageContext): Promise<Visit | undefined> {
    const session = await sessionOf(ctx);
    const account = session && (await accounts.find(session.accountId));
    // A session that outlived a change of the password opens nothing.
    const holds = account !== undefined && (session?.epoch ?? account.value.deviceEpoch) === account.value.deviceEpoch;
    return session !== undefined && holds ? { account, session, agent: agentOf(ctx) } : undefined;
  }

  return {
    /**
     * Who is signed in here. Where nobody is, or the sign-in is not fresh where it has to be, answers with undefined and has
     * sent the browser to sign in; it comes back to `to`. `hadSecondStep` is false while the first one is being set up.
     */
    async enter(
      ctx: PageContext,
      { fresh = false, to = ctx.path, hadSecondStep = true, level = 1 }: Entry = {},
    ): Promise<Visit | undefined> {
      const visit = await visitOf(ctx);
      const isHigh = levelOf(visit?.session.acr) >= level;
      if (visit !== undefined && isHigh && (!fresh || isFresh(ctx, visit, hadSecondStep))) return visit;
      return signIn(ctx, to, visit?.account, { fresh: fresh && visit !== undefined, level });
    },

    /**
     * Leaves the mark, in the browser that has just shown this for our own pages. Nowhere else: who comes back from a sign-in
     * may bring a session that somebody else began.
     */
    confirm(ctx: PageContext, proofs: Proofs): void {
      ctx.cookies.set(cookie, sign(keys[0] ?? '', markOf(proofs)), {
        ...{ httpOnly: true, sameSite: 'lax', secure: https, signed: false, overwrite: true },
        maxAge: FRESH_FOR * 1_000,
      });
    },

    /**
     * The browser is back from the sign-in. Answers where it goes on; undefined where it brings nothing that we sent it away
     * with, or nobody signed in, or not anew where that was asked.
     */
    async arrive(ctx: PageContext): Promise<string | undefined> {
      const [state = '', signature = ''] = String(ctx.query.state ?? '').split('.');
      if (!isSigned(state, signature) || ctx.query.error !== undefined) return undefined;
      const { to, fresh, at } = JSON.parse(Buffer.from(state, 'base64url').toString());
      const visit = await visitOf(ctx);
      return visit === undefined || (fresh && visit.session.authTime < at) ? undefined : to;
    },
  };
}

export type SignedIn = ReturnType<typeof signedInMembers>;
