import type { Account } from '../../core/account/account.ts';
import { membershipOf } from '../../core/account/person.ts';
import type { Case } from '../../core/audit/cases.ts';
import type { Audit, AuditEntry } from '../../core/audit/event.ts';
import type { DoneBy, Trail } from '../../core/audit/trail.ts';
import type { Clock } from '../../core/clock.ts';
import type { Attempts } from '../../core/lockout/attempts.ts';
import { LOCKOUT } from '../../core/lockout/pools.ts';
import type { Membership, MembershipDirectory } from '../../core/membership/membership.ts';
import { type Outcome, proven, type Refusal, refused } from '../../core/refusal.ts';
import type { ListedSession } from '../../core/session/listedSession.ts';
import { rolesOf, type Staff } from '../../core/staff/staff.ts';
import type { Collection, Stored } from '../../core/storage/collection.ts';
import { Unavailable } from '../../core/storage/unavailable.ts';
import { conflictOf, helpedOf } from '../../core/support/conflict.ts';
import type { DeskFiles, OpenFile } from '../../core/support/files.ts';
import type { Invitations } from '../../core/support/invitations.ts';
import type { Removals } from '../../core/support/removals.ts';
import type { PageContext } from '../../http/context.ts';
import type { Form } from '../../http/form.ts';
import { reasonIn } from '../../http/page.ts';
import type { Post } from '../../http/post.ts';
import type { StaffVisit } from '../../http/staffDoor.ts';

export interface DeskDependencies {
  readonly accounts: Collection<Account>;
  readonly staff: Collection<Staff>;
  readonly cases: Collection<Case>;
  readonly files: DeskFiles;
  readonly removals: Removals;
  readonly invitations: Invitations;
  readonly directory: Pick<MembershipDirectory, 'match' | 'find'>;
  /** Whether the plan's records know this number, as far as they can tell without its person's details. */
  readonly mayBeNumber: (memberNumber: string) => Promise<boolean>;
  readonly attempts: Attempts;
  readonly digest: (text: string) => string;
  readonly post: Post;
  readonly trail: Pick<Trail, 'of'>;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly issuer: string;
  /** The day where the plan is, YYYY-MM-DD, and how long a membership that has ended still counts. */
  readonly today: () => string;
  readonly graceDays: number;
  /** Letters go out by themselves. */
  readonly letters: boolean;
  readonly sessionsOf: (ctx: PageContext, accountId: string) => Promise<readonly ListedSession[]>;
  readonly endSessions: (accountId: string) => Promise<void>;
  /** Counts whom an agent looks at (`core/lockout/signals.ts`). */
  readonly onViewed: (agentId: string) => Promise<void>;
}

/** Whom a file is about. One of the two is there; both for a member who has an account. */
export interface Member {
  readonly account: Stored<Account> | undefined;
  readonly membership: Membership | undefined;
}

/** An agent who does something, and why, for the record. */
export const agentDoes = ({ account: { id } }: StaffVisit, reason: string): Required<DoneBy> => ({
  actor: { kind: 'staff', id },
  reason,
});

/** Puts on record what an agent did, or was refused, about a member. */
export const recordDesk = (
  { audit }: Pick<DeskDependencies, 'audit'>,
  visit: StaffVisit,
  entry: Pick<AuditEntry, 'action' | 'outcome' | 'reason' | 'detail'> & { readonly accountId?: string | undefined },
): Promise<void> => {
  const { accountId, ...rest } = entry;
  const subject = accountId === undefined ? {} : { subject: { kind: 'account', id: accountId } as const };
  return audit.record({ ...rest, ...subject, actor: agentDoes(visit, '').actor });
};

/** One try of those that an agent has; false when there are none left for now. */
export const mayTry = async (
  { attempts, digest }: Pick<DeskDependencies, 'attempts' | 'digest'>,
  rule: 'deskSearch' | 'deskMessage' | 'caller',
  whose: string,
): Promise<boolean> => (await attempts.take(poolOf(digest, rule, whose), LOCKOUT[rule])).ok;

export const poolOf = (digest: (text: string) => string, rule: string, whose: string): string =>
  `desk:${rule}:${digest(whose)}`;

/** Why this agent keeps away from this account. */
export async function conflictWith(
  { staff }: Pick<DeskDependencies, 'staff'>,
  { account: agent }: StaffVisit,
  account: Stored<Account>,
): Promise<Refusal | undefined> {
  return conflictOf(agent, helpedOf(account, await rolesOf(staff, account.id)));
}

/** The same of a member with or without an account: whom the plan has on file in the agent's home is family too. */
export async function conflictWithMember(
  deps: Pick<DeskDependencies, 'staff'>,
  visit: StaffVisit,
  { account, membership }: Member,
): Promise<Refusal | undefined> {
  const ofAccount = account && (await conflictWith(deps, visit, account));
  if (ofAccount !== undefined || membership === undefined) return ofAccount;
  const { lastName, postalCode, contacts } = membership;
  return conflictOf(visit.account, { lastName, postalCode, contacts, roles: [] });
}

/** The membership of an account, where the plan can be asked: while it cannot, an agent still helps, and pauses an account. */
export const membershipNow = (
  { directory }: Pick<DeskDependencies, 'directory'>,
  account: Account,
): Promise<Membership | undefined> =>
  membershipOf(directory, account).catch((error) => {
    if (!(error instanceof Unavailable)) throw error;
    return undefined;
  });

/** Whom the file is about, as they stand now. */
export async function memberIn(deps: DeskDependencies, file: OpenFile): Promise<Member> {
  const account = file.accountId === undefined ? undefined : await deps.accounts.find(file.accountId);
  if (account !== undefined) return { account, membership: await membershipNow(deps, account.value) };
  return { account, membership: file.membership };
}

/** What an agent tried for a member in vain, and why it was refused: about whom, which the record of the page does not know. */
export const recordRefused = (
  deps: Pick<DeskDependencies, 'audit'>,
  visit: StaffVisit,
  ctx: PageContext,
  { file, form, outcome }: { readonly file: OpenFile | undefined; readonly form: Form; readonly outcome: Refusal },
): Promise<void> =>
  recordDesk(deps, visit, {
    ...{ action: 'support-refused', outcome, reason: reasonIn(form), accountId: file?.accountId },
    detail: { action: ctx.path.replace(/^.*\//, '') },
  });

/**
 * Whom a form of this file is about; refused where the agent has no such file, has not checked the caller, or may not help this
 * member. Every form asks this again, whatever its page showed.
 */
export async function helped(
  deps: DeskDependencies,
  visit: StaffVisit,
  ctx: PageContext,
  form: Form,
): Promise<Outcome<Member & { readonly file: OpenFile }>> {
  const file = await deps.files.find(visit.session.uid, String(ctx.params.handle));
  const no = async (refusal: Refusal) => {
    await recordRefused(deps, visit, ctx, { file, form, outcome: refusal });
    return refused(refusal);
  };
  if (file === undefined || !deps.files.isChecked(file)) return no('caller-not-checked');
  const member = await memberIn(deps, file);
  const conflict = await conflictWithMember(deps, visit, member);
  return conflict === undefined ? proven({ ...member, file }) : no(conflict);
}
