import type { Account } from '../../core/account/account.ts';
import { type Outcome, proven, refused } from '../../core/refusal.ts';
import { may } from '../../core/staff/roles.ts';
import { rolesOf } from '../../core/staff/staff.ts';
import type { Stored } from '../../core/storage/collection.ts';
import type { Removal } from '../../core/support/removals.ts';
import type { PageContext } from '../../http/context.ts';
import { reasonIn } from '../../http/page.ts';
import type { StaffPage, StaffVisit } from '../../http/staffDoor.ts';
import { agentDoes, conflictWithMember, type DeskDependencies, membershipNow, recordDesk } from './desk.ts';
import { doneAt } from './done.ts';

/** A removal of all second steps that waits for a second person, who is neither who has asked nor close to the member. */
export const removalPage = (deps: DeskDependencies): StaffPage => {
  const { accounts, removals, post, endSessions } = deps;

  async function open(visit: StaffVisit, ctx: PageContext) {
    const asked = await removals.find(String(ctx.params.id));
    const account = asked && (await accounts.find(asked.accountId));
    if (asked === undefined || account === undefined) return undefined;
    // Who has lost the role since asks for nothing any more.
    if (!may(await rolesOf(deps.staff, asked.by), 'members.help')) return undefined;
    const membership = await membershipNow(deps, account.value);
    return { asked, account, conflict: await conflictWithMember(deps, visit, { account, membership }) };
  }

  /** What an agent may settle: not their own request, and not that of themself or their family. */
  async function settle(
    visit: StaffVisit,
    ctx: PageContext,
    how: (asked: Removal & { readonly id: string }, account: Stored<Account>) => Promise<Outcome<string>>,
  ): Promise<Outcome<string>> {
    const found = await open(visit, ctx);
    if (found === undefined) return refused('removal-gone');
    return found.conflict === undefined ? how(found.asked, found.account) : refused(found.conflict);
  }

  return {
    path: '/removal/:id',
    view: 'support/removal',
    may: 'members.help',
    async show(visit, ctx) {
      const found = await open(visit, ctx);
      if (found === undefined || found.conflict !== undefined) return undefined;
      const { asked, account } = found;
      const isMine = asked.by === visit.account.id;
      await deps.onViewed(visit.account.id);
      await recordDesk(deps, visit, { action: 'member-viewed', accountId: account.id, detail: { removal: true } });
      return {
        ...{ isMine, at: asked.at, why: asked.reason },
        by: (await accounts.find(asked.by))?.value.username ?? asked.by,
        name: `${account.value.firstName} ${account.value.lastName}`,
        memberNumber: account.value.memberNumber,
        language: account.value.locale,
        preview: post.preview(account.value.locale, 'support-steps-removed', { link: '…' }),
      };
    },
    actions: {
      approve: {
        ...{ fresh: true, sure: () => true },
        run: (form, visit, ctx) =>
          settle(visit, ctx, async ({ id, accountId }) => {
            const outcome = await removals.approve(id, visit.account.id);
            if (!outcome.ok) return outcome;
            await endSessions(accountId);
            const by = agentDoes(visit, reasonIn(form));
            const { before, after, settled } = outcome.proven;
            await post.tellOfChange({ id: accountId, before, after, by }, 'support-steps-removed');
            await settled();
            return proven(doneAt('/support', 'removed'));
          }),
      },
      decline: {
        fresh: false,
        run: (form, visit, ctx) =>
          settle(visit, ctx, async ({ id }, account) => {
            if (!(await removals.decline(id))) return refused('removal-gone');
            const by = agentDoes(visit, reasonIn(form));
            await post.tellOwner(account.id, account.value, 'support-declined', {}, { by });
            return proven(doneAt('/support', 'declined'));
          }),
      },
    },
  };
};
