import { createHash } from 'node:crypto';
import { type Account, contactsOf } from '../account/account.ts';
import { resetContacts } from '../account/recovery.ts';
import type { Clock } from '../clock.ts';
import type { Way } from '../codes/contacts.ts';
import { marksOf } from '../factors/factors.ts';
import type { Contact } from '../membership/membership.ts';
import type { Collection, Stored } from '../storage/collection.ts';
import type { Expiring } from '../storage/expiring.ts';

/** What a member is let do by a link that our support desk has sent to a contact on file. */
export type InvitationKind = 'password' | 'second-step';

interface Invitation {
  readonly accountId: string;
  readonly kind: InvitationKind;
  readonly way: Way;
  /** The account's `deviceEpoch` and second steps then: once what was to be set is set, the link is of no use. */
  readonly epoch: number;
  readonly marks: string;
}

const MINUTE_MS = 60_000;
/** By phone as long as NIST SP 800-63B-4 4.2.1.2 allows; by email an hour, where it allows a day. */
const LIFE_MS: Readonly<Record<'sms' | 'email', number>> = { sms: 10 * MINUTE_MS, email: 60 * MINUTE_MS };

export interface InvitationDependencies {
  readonly expiring: Expiring;
  readonly accounts: Collection<Account>;
  readonly clock: Clock;
  /** 192 random bits, Base64url. */
  readonly newSecret: () => string;
}

/** Where a link may go: where a code for the same may, and for a new second step to no phone that is one itself. */
export const invitableContacts = (account: Account, kind: InvitationKind): Contact[] =>
  kind === 'password'
    ? resetContacts(account)
    : contactsOf(account).filter(({ to }) => to !== account.factors?.phone?.to);

/** Links by which a member sets something anew. The last one of a kind counts. */
export function invitations({ expiring, accounts, clock, newSecret }: InvitationDependencies) {
  const digestOf = (secret: string) => createHash('sha256').update(`invitation:${secret}`).digest('base64url');
  const key = (digest: string) => `invitation:${digest}`;
  const latest = (accountId: string, kind: InvitationKind) => `invitation:of:${accountId}:${kind}`;
  return {
    /** What the link holds, and for how many minutes it is good. */
    async issue(
      { id, value }: Stored<Account>,
      kind: InvitationKind,
      way: Way & { readonly by: 'sms' | 'email' },
    ): Promise<{ readonly secret: string; readonly minutes: number }> {
      const secret = newSecret();
      const digest = digestOf(secret);
      const deadline = clock.now() + LIFE_MS[way.by];
      const invitation: Invitation = {
        ...{ accountId: id, kind, way, epoch: value.deviceEpoch, marks: marksOf(value) },
      };
      await expiring.put(key(digest), invitation, deadline);
      await expiring.put(latest(id, kind), { digest }, deadline);
      return { secret, minutes: LIFE_MS[way.by] / MINUTE_MS };
    },

    /** What a link opens, and for whom; undefined where it opens nothing, or nothing any more. */
    async find(
      secret: string,
    ): Promise<{ readonly account: Stored<Account>; readonly kind: InvitationKind; readonly way: Way } | undefined> {
      const digest = digestOf(secret);
      const entry = /^[\w-]{32}$/.test(secret) ? await expiring.get(key(digest)) : undefined;
      if (entry === undefined) return undefined;
      const { accountId, kind, way, epoch, marks } = entry.value as Invitation;
      const [account, last] = await Promise.all([accounts.find(accountId), expiring.get(latest(accountId, kind))]);
      if (account === undefined || (last?.value as { digest?: string } | undefined)?.digest !== digest)
        return undefined;
      const { value } = account;
      const isReached = invitableContacts(value, kind).some(({ to }) => to === way.to);
      const isOpen = value.frozenAt === undefined && !(kind === 'second-step' && value.resetDemanded);
      const holds = value.deviceEpoch === epoch && marksOf(value) === marks && isOpen;
      return holds && isReached ? { account, kind, way } : undefined;
    },
  };
}

export type Invitations = ReturnType<typeof invitations>;
