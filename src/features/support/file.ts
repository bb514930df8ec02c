import { proven, refused } from '../../core/refusal.ts';
import { change } from '../../core/storage/collection.ts';
import { reasonIn } from '../../http/page.ts';
import { typedPerson } from '../../http/personForm.ts';
import type { StaffPage } from '../../http/staffDoor.ts';
import { deskActions } from './actions.ts';
import { callerFieldOf, checkCaller } from './caller.ts';
import { agentDoes, conflictWithMember, type DeskDependencies, helped, memberIn, recordDesk } from './desk.ts';
import { doneAt } from './done.ts';
import { viewOf } from './view.ts';

/** The file of a member: the questions to the caller first, and then what is there and what can be done. */
export const filePage = (deps: DeskDependencies): StaffPage => ({
  path: '/file/:handle',
  view: 'support/file',
  may: 'members.read',
  async show(visit, ctx, typed) {
    const file = await deps.files.find(visit.session.uid, String(ctx.params.handle));
    if (file === undefined) return undefined;
    const { reason } = file;
    if (!deps.files.isChecked(file))
      return { heading: 'support.caller.title', checked: false, reason, fields: typedPerson(typed) };
    const member = await memberIn(deps, file);
    if ((await conflictWithMember(deps, visit, member)) !== undefined) return undefined;
    // Before it is seen.
    await recordDesk(deps, visit, { action: 'member-viewed', reason, accountId: file.accountId });
    return { reason, ...(await viewOf(deps, ctx, file, member)) };
  },
  actions: {
    check: {
      ...{ fresh: false, may: 'members.help', explained: true },
      run: (form, visit, ctx) => checkCaller(deps, form, visit, ctx),
      fieldOf: callerFieldOf,
    },
    ...deskActions(deps),
    'close-case': {
      ...{ fresh: false, may: 'members.help' },
      async run(form, visit, ctx) {
        const found = await helped(deps, visit, ctx, form);
        if (!found.ok) return found;
        const { file, account } = found.proven;
        const { caseNumber: number } = file;
        if (number === undefined || account === undefined) return refused('member-unknown');
        await change(deps.cases, number, (now) => ({ ...now, status: 'closed' as const }));
        const by = agentDoes(visit, reasonIn(form));
        await deps.post.tellOwner(account.id, account.value, 'support-case-closed', { number }, { by });
        return proven(doneAt(`/support/file/${file.handle}`, 'case-closed'));
      },
    },
  },
});
