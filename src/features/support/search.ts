import { type Account, findByMemberNumbers, findBySignInName } from '../../core/account/account.ts';
import { SIGN_IN_NAME_MAX } from '../../core/account/signInName.ts';
import { canonicalMemberNumber } from '../../core/membership/matching.ts';
import { type Outcome, proven, refused } from '../../core/refusal.ts';
import type { Stored } from '../../core/storage/collection.ts';
import type { DeskFile } from '../../core/support/files.ts';
import { reasonIn } from '../../http/page.ts';
import type { StaffPage } from '../../http/staffDoor.ts';
import { conflictWith, type DeskDependencies, mayTry, recordDesk } from './desk.ts';

type Found = Pick<DeskFile, 'accountId' | 'memberNumber' | 'caseNumber'>;

/**
 * Whom exactly this names: a sign-in name, a member number or a case. There is no part of a name, no list and no second hit:
 * who does not know whom they look for finds nobody.
 */
async function findExactly(deps: DeskDependencies, typed: string): Promise<Found | undefined> {
  const number = typed.toUpperCase().replaceAll(/\s/g, '');
  const found = /^[0-9A-Z]{4}(-[0-9A-Z]{4}){2}$/.test(number) ? await deps.cases.find(number) : undefined;
  if (found !== undefined) return { accountId: found.value.accountId, caseNumber: number };
  const account: Stored<Account> | undefined =
    (await findBySignInName(deps.accounts, typed)) ?? (await findByMemberNumbers(deps.accounts, [typed]));
  if (account !== undefined) return { accountId: account.id };
  const canBe = /\d/.test(typed) && !typed.includes('@') && canonicalMemberNumber(typed) !== '';
  return canBe && (await deps.mayBeNumber(typed)) ? { memberNumber: typed } : undefined;
}

/** The desk's front page: one field, and what waits for a second person. */
export const searchPage = (deps: DeskDependencies): StaffPage => ({
  path: '',
  view: 'support/search',
  may: 'members.read',
  async show({ account }, _, typed) {
    const waiting = (await deps.removals.list()).map(async ({ id, at, by }) => ({
      ...{ id, at, isMine: by === account.id },
      by: (await deps.accounts.find(by))?.value.username ?? by,
    }));
    return { typed: typed?.get('identifier') ?? '', waiting: await Promise.all(waiting) };
  },
  actions: {
    find: {
      fresh: false,
      async run(form, visit): Promise<Outcome<string>> {
        const typed = (form.get('identifier') ?? '').normalize('NFKC').trim().slice(0, SIGN_IN_NAME_MAX);
        if (typed === '') return refused('identifier-missing');
        if (!(await mayTry(deps, 'deskSearch', visit.account.id))) return refused('too-many-searches');
        const found = await findExactly(deps, typed);
        const account = found?.accountId === undefined ? undefined : await deps.accounts.find(found.accountId);
        const refusal = found === undefined ? 'member-unknown' : account && (await conflictWith(deps, visit, account));
        const reason = reasonIn(form);
        // What was typed stays out of the record: it may be anybody's, and anything.
        await recordDesk(deps, visit, {
          ...{ action: 'member-searched', outcome: refusal, reason, accountId: account?.id },
        });
        if (found === undefined || refusal !== undefined) return refused(refusal ?? 'member-unknown');
        await deps.onViewed(visit.account.id);
        const handle = await deps.files.open(visit.session.uid, { ...found, reason });
        return proven(`/support/file/${handle}`);
      },
      fieldOf: () => 'identifier',
    },
  },
});
