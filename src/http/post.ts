import { type Account, addressesOf } from '../core/account/account.ts';
import type { Objections } from '../core/account/objections.ts';
import type { DoneBy, Trail } from '../core/audit/trail.ts';
import type { App } from '../core/client/client.ts';
import type { Clock } from '../core/clock.ts';
import type { Codes } from '../core/codes/codes.ts';
import { LETTER, type Reach, type Way, waysTo } from '../core/codes/contacts.ts';
import { maySend } from '../core/codes/sendings.ts';
import type { Attempts, PoolRule } from '../core/lockout/attempts.ts';
import type { Contact } from '../core/membership/membership.ts';
import type { Channel, Outbox } from '../core/messages/message.ts';
import type { ChangeKind, Compose, LinkKind, MessageKind, NoticeKind } from './messageText.ts';
import type { Network } from './network.ts';

export interface PostDependencies {
  readonly outbox: Outbox;
  readonly compose: Compose;
  readonly codes: Codes;
  readonly attempts: Attempts;
  readonly digest: (text: string) => string;
  readonly reach: Reach;
  readonly clock: Clock;
  readonly trail: Trail;
  readonly objections: Objections;
  readonly issuer: string;
}

export interface CodeOrder {
  /** What the code is for; one purpose has one code. */
  readonly purpose: string;
  /** Whose it is, for the caps. */
  readonly subject: string;
  readonly contacts: readonly Contact[];
  /** The channel that the member asks for; otherwise the first that there is. */
  readonly by?: Channel | undefined;
  readonly locale: string;
  readonly network: Network;
  /** The app that the member is on the way to. */
  readonly app?: App | undefined;
  /** The password was shown before. */
  readonly known?: boolean;
}

interface TellOptions {
  readonly also?: readonly Contact[];
  /** What the browser in which it happened calls itself. */
  readonly agent?: string | undefined;
  /** Who did it, where that was not the owner. */
  readonly by?: DoneBy | undefined;
}

/** An account before and after a change, and where that was made. */
export interface ChangedAccount {
  readonly id: string;
  readonly before: Account;
  readonly after: Account;
  /** Of the session that it was made in, where there was one. */
  readonly session?: string | undefined;
  readonly agent?: string | undefined;
  readonly by?: DoneBy | undefined;
}

/** Whose account a visit or a step changes, and where, for `tellOfChange`. */
export const changedIn = ({ account, session, agent }: ChangedWhere): Omit<ChangedAccount, 'before' | 'after'> => ({
  ...{ id: account.id, session: session?.uid, agent },
});

interface ChangedWhere {
  readonly account: { readonly id: string };
  readonly session?: { readonly uid: string } | undefined;
  readonly agent: string;
}

const onlyOnce = (contacts: readonly Contact[]): Contact[] =>
  contacts.filter((one, i) => contacts.findIndex(({ to }) => to === one.to) === i);

const MINUTE_MS = 60_000;
/** One notice of a kind to one account an hour. */
const NOTICE_RULE: PoolRule = {
  ...{ free: 1, firstWait: 60 * MINUTE_MS, growth: 1, longestWait: 60 * MINUTE_MS, startsAgain: true },
  ...{ forgetAfter: 60 * MINUTE_MS, forgetFrom: 'first' },
};

/** What we write to members. Everything goes through the outbox. */
export function post(deps: PostDependencies) {
  const { outbox, compose, codes, attempts, digest, reach, clock, trail, objections, issuer } = deps;
  async function put(
    { by, to }: Way,
    locale: string,
    kind: MessageKind,
    values: object,
    times?: Parameters<Outbox['put']>[1],
    { accountId, app }: { readonly accountId?: string; readonly app?: App | undefined } = {},
  ): Promise<string | undefined> {
    if (by === 'letter') return undefined;
    const { sms, voice, logo, ...email } = compose(locale, kind, values as Record<string, string | number>, app);
    const written = { ...email, ...(logo === undefined ? {} : { logo: { type: logo.type, base64: logo.base64 } }) };
    const words = by === 'email' ? written : { text: by === 'sms' ? sms : voice };
    return outbox.put({ channel: by, to, locale, ...words, ...(accountId === undefined ? {} : { accountId }) }, times);
  }

  /** Every email address, and every phone that can get a text. */
  async function tell(
    accountId: string,
    contacts: readonly Contact[],
    locale: string,
    kind: MessageKind,
    values: object,
  ): Promise<void> {
    const ways = waysTo(contacts, reach).filter(({ by }) => by !== 'voice');
    await Promise.all(ways.map((way) => put(way, locale, kind, values, undefined, { accountId })));
  }

  return {
    waysTo: (contacts: readonly Contact[]): Way[] => waysTo(contacts, reach),
    withdraw: outbox.withdraw,

    /** Writes to one contact at a time to come. Returns the message's id, by which it can be taken back. */
    async tellLater(
      contact: Contact,
      locale: string,
      kind: MessageKind,
      values: object,
      times: { readonly from: number; readonly until: number },
    ): Promise<string> {
      const way = waysTo([contact], reach)[0];
      const id = way && (await put(way, locale, kind, values, times));
      if (id === undefined) throw new Error('there is no way to a contact that a code has reached');
      return id;
    },

    /**
     * Sends a new code. Where there is nobody to send it to, or too many were sent, the same is done but for the message,
     * and the page must not tell.
     */
    async sendCode({ purpose, subject, contacts, by, locale, network, app, known }: CodeOrder): Promise<void> {
      const ways = waysTo(contacts, reach);
      const way = by === undefined ? ways[0] : ways.find((one) => one.by === by);
      if (!(await maySend(attempts, digest, { subject, way, network, known }))) return codes.withhold(purpose);
      const { code, until } = await codes.issue(purpose, way);
      const minutes = Math.round((until - clock.now()) / MINUTE_MS);
      if (way !== undefined) await put(way, locale, 'code', { code, minutes }, { until }, { app });
    },

    /** Tells an account's owner on all addresses, and puts it into what they can read of it. With `seldom`, one of a kind an hour. */
    async tellOwner(
      id: string,
      account: Account,
      kind: NoticeKind,
      values: object = {},
      { seldom = false, also = [], agent, by }: TellOptions & { readonly seldom?: boolean } = {},
    ): Promise<void> {
      if (seldom && !(await attempts.take(`notice:${kind}:${digest(id)}`, NOTICE_RULE)).ok) return;
      await trail.record(id, { what: kind, agent }, by);
      await tell(id, onlyOnce([...addressesOf(account), ...also]), account.locale, kind, values);
    },

    /** The words of a message as a member gets it, for who is about to send it. */
    preview(locale: string, kind: MessageKind, values: Readonly<Record<string, string | number>> = {}) {
      const { subject, text } = compose(locale, kind, values);
      return { subject, text };
    },

    /** Sends a link to one contact, good until a time in milliseconds since 1970. */
    sendLink: (way: Way, locale: string, kind: LinkKind, values: object, until: number): Promise<unknown> =>
      put(way, locale, kind, values, { until }),

    /** A letter with a code, which the plan's print shop sends to the address that it knows for a membership. */
    async sendLetter(memberNumber: string, purpose: string, locale: string, hasAccount: boolean): Promise<void> {
      const { code, until } = await codes.issue(purpose, LETTER);
      const { subject, text } = compose(locale, hasAccount ? 'letter' : 'letter-register', { code });
      await outbox.put({ channel: 'letter', to: memberNumber, subject, text, locale }, { until });
    },

    /**
     * Tells an account's owner of a change, on the addresses that there were before and are now, with the link by which they
     * object to it.
     */
    async tellOfChange(
      { id, before, after, session, agent, by }: ChangedAccount,
      kind: ChangeKind,
      values: object = {},
    ): Promise<void> {
      await trail.record(id, { what: kind, agent }, by);
      const secret = objections.newSecret();
      const contacts = onlyOnce([...addressesOf(before), ...addressesOf(after)]);
      try {
        await objections.keep(secret, id, { before, after }, { what: kind, session });
      } finally {
        // The change is made, and is told also where no link to object by can be kept.
        await tell(id, contacts, after.locale, kind, { ...values, link: `${issuer}/not-me/${secret}` });
      }
    },
  };
}

export type Post = ReturnType<typeof post>;
