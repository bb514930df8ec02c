import type { Account } from '../../core/account/account.ts';
import { membershipOf } from '../../core/account/person.ts';
import { seconds } from '../../core/clock.ts';
import { letterPurpose } from '../../core/codes/codes.ts';
import { maskedContact } from '../../core/codes/contacts.ts';
import { hasSecondStep } from '../../core/factors/factors.ts';
import { hasEnded } from '../../core/membership/lifecycle.ts';
import { canonicalMemberNumber } from '../../core/membership/matching.ts';
import { type Outcome, proven, refused } from '../../core/refusal.ts';
import { change, type Stored } from '../../core/storage/collection.ts';
import type { InvitationKind } from '../../core/support/invitations.ts';
import type { PageContext } from '../../http/context.ts';
import type { Form } from '../../http/form.ts';
import type { NoticeKind } from '../../http/messageText.ts';
import { reasonIn } from '../../http/page.ts';
import type { StaffVisit } from '../../http/staffDoor.ts';
import { agentDoes, type DeskDependencies, helped, type Member, mayTry, recordDesk, recordRefused } from './desk.ts';
import { type DONE, doneAt } from './done.ts';
import { linkWays } from './view.ts';

/** Days for which a former member may be let in, and again. */
const LET_IN_DAYS = 30;

interface Helping extends Member {
  readonly form: Form;
  readonly visit: StaffVisit;
  readonly by: Required<ReturnType<typeof agentDoes>>;
}
type Helps = (helping: Helping) => Promise<Outcome<(typeof DONE)[number]>>;
type HelpsAccount = (helping: Helping, account: Stored<Account>) => Promise<Outcome<(typeof DONE)[number]>>;

/** What an agent does for a member, each a form of the file. */
export function deskActions(deps: DeskDependencies) {
  const { accounts, post, clock, endSessions } = deps;
  const tell = ({ by }: Helping, { id, value }: Stored<Account>, kind: NoticeKind, values: object = {}) =>
    post.tellOwner(id, value, kind, values, { by });
  const changed = (id: string, to: (account: Account) => Account | undefined) =>
    change(accounts, id, (now) => {
      const after = to(now);
      return after && { ...after, updatedAt: seconds(clock) };
    });

  const unlock: HelpsAccount = async (helping, account) => {
    // Who guesses passwords and has a friend here would begin anew as often as they like.
    if (!(await mayTry(deps, 'deskMessage', account.id))) return refused('too-many-messages');
    await changed(account.id, (now) => ({ ...now, attemptsEpoch: (now.attemptsEpoch ?? 0) + 1 }));
    await tell(helping, account, 'support-unlocked');
    return proven('unlocked');
  };

  const invite =
    (kind: InvitationKind): HelpsAccount =>
    async (helping, account) => {
      const { value } = account;
      if (value.frozenAt !== undefined) return refused('account-frozen');
      if ((value.resetFrom ?? 0) > seconds(clock)) return refused('reset-waits', (value.resetFrom ?? 0) * 1_000);
      // Somebody else may know the password: that goes first.
      if (kind === 'second-step' && value.resetDemanded) return refused('reset-demanded');
      if (kind === 'second-step' && !hasSecondStep(value)) return refused('nothing-to-remove');
      const ways = linkWays(deps, value, kind);
      if (ways.length === 0) return refused('no-contact');
      const chosen = helping.form.get('way') ?? '';
      const way = /^\d$/.test(chosen) ? ways[Number(chosen)] : undefined;
      if (way === undefined) return refused('way-missing');
      if (!(await mayTry(deps, 'deskMessage', account.id))) return refused('too-many-messages');
      const { secret, minutes } = await deps.invitations.issue(account, kind, way);
      const link = `${deps.issuer}/invitation/${secret}`;
      // On record, and on every other address, before the link is on its way.
      const masked = maskedContact({ kind: way.by === 'email' ? 'email' : 'mobile', to: way.to });
      await tell(helping, account, 'support-invited', { masked });
      await post.sendLink(way, value.locale, `invite-${kind}`, { link, minutes }, clock.now() + minutes * 60_000);
      return proven('invited');
    };

  const signOut: HelpsAccount = async (helping, account) => {
    // Nothing that is under way in a browser ends in a session either.
    await changed(account.id, (now) => ({ ...now, deviceEpoch: now.deviceEpoch + 1 }));
    await endSessions(account.id);
    await tell(helping, account, 'support-signed-out');
    return proven('signed-out');
  };

  const freeze: HelpsAccount = async (helping, account) => {
    await changed(account.id, (now) => ({ ...now, frozenAt: seconds(clock), deviceEpoch: now.deviceEpoch + 1 }));
    await endSessions(account.id);
    await tell(helping, account, 'support-frozen');
    return proven('frozen');
  };

  const thaw: HelpsAccount = async (helping, account) => {
    await changed(account.id, ({ frozenAt: _, ...now }) => now);
    await tell(helping, account, 'support-thawed');
    return proven('thawed');
  };

  const letIn: HelpsAccount = async (helping, account) => {
    const membership = await membershipOf(deps.directory, account.value);
    const isOver = membership?.standing === 'active' && hasEnded(membership, deps.today(), deps.graceDays);
    if (!isOver) return refused('membership-holds');
    const openUntil = seconds(clock) + LET_IN_DAYS * 86_400;
    await changed(account.id, (now) => ({ ...now, openUntil }));
    await tell(helping, account, 'support-let-in', { at: openUntil * 1_000 });
    return proven('let-in');
  };

  const askRemoval: HelpsAccount = async (helping, account) => {
    const asked = await deps.removals.ask(account, helping.visit.account.id, helping.by.reason ?? '');
    if (!asked.ok) return asked;
    await tell(helping, account, 'support-removal');
    return proven('removal');
  };

  const letter: Helps = async (helping) => {
    const { account, visit, by } = helping;
    // Under the number of today, or not at all: on the page of the letter the plan is asked as well.
    const membership = account ? await membershipOf(deps.directory, account.value) : helping.membership;
    const number = membership?.memberNumber ?? account?.value.memberNumber;
    if (number === undefined) return refused('no-account');
    if (!deps.letters) return refused('no-contact');
    if (!(await mayTry(deps, 'deskMessage', account?.id ?? `number:${canonicalMemberNumber(number)}`)))
      return refused('too-many-messages');
    const purpose = letterPurpose(deps.digest, number, account === undefined ? 'registration' : 'contact');
    if (account !== undefined) await tell(helping, account, 'support-letter');
    else
      await recordDesk(deps, visit, {
        action: 'letter-code-made',
        reason: by.reason,
        detail: { membership: deps.digest(number) },
      });
    await post.sendLetter(number, purpose, account?.value.locale ?? membership?.locale ?? 'en', account !== undefined);
    return proven('letter');
  };

  /** A form of the file: for a checked caller alone, whatever the page showed. */
  const forMember = (help: Helps, fresh = false, sure = false) => ({
    fresh,
    may: 'members.help' as const,
    ...(sure ? { sure: () => true } : {}),
    async run(form: Form, visit: StaffVisit, ctx: PageContext): Promise<Outcome<string>> {
      const found = await helped(deps, visit, ctx, form);
      if (!found.ok) return found;
      const { file, ...member } = found.proven;
      const outcome = await help({ ...member, form, visit, by: agentDoes(visit, reasonIn(form)) });
      if (outcome.ok) return proven(doneAt(`/support/file/${file.handle}`, outcome.proven));
      await recordRefused(deps, visit, ctx, { file, form, outcome: outcome.refusal });
      return outcome;
    },
  });
  const forAccount = (help: HelpsAccount, fresh?: boolean, sure?: boolean) =>
    forMember(
      async (helping) => (helping.account === undefined ? refused('no-account') : help(helping, helping.account)),
      fresh,
      sure,
    );

  return {
    unlock: forAccount(unlock),
    password: { ...forAccount(invite('password')), fieldOf: () => 'password-way-0' },
    'second-step': { ...forAccount(invite('second-step')), fieldOf: () => 'second-step-way-0' },
    'sign-out': forAccount(signOut, false, true),
    freeze: forAccount(freeze, false, true),
    thaw: forAccount(thaw),
    'let-in': forAccount(letIn),
    removal: forAccount(askRemoval, true, true),
    letter: forMember(letter),
  };
}
