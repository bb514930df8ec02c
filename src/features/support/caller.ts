import { findByMemberNumbers } from '../../core/account/account.ts';
import { personOf } from '../../core/account/person.ts';
import { LOCKOUT } from '../../core/lockout/pools.ts';
import { canonicalMemberNumber, samePerson } from '../../core/membership/matching.ts';
import type { Person } from '../../core/membership/membership.ts';
import { type Outcome, proven, type Refusal, refused } from '../../core/refusal.ts';
import type { OpenFile } from '../../core/support/files.ts';
import type { PageContext } from '../../http/context.ts';
import type { Form } from '../../http/form.ts';
import { PERSON_FIELD_OF, readPerson } from '../../http/personForm.ts';
import type { StaffVisit } from '../../http/staffDoor.ts';
import {
  agentDoes,
  conflictWithMember,
  type DeskDependencies,
  type Member,
  mayTry,
  membershipNow,
  poolOf,
  recordDesk,
} from './desk.ts';

/** Whom the caller is, by what they say, if that is in the records: of the file's account, or of its member number. */
async function identify(deps: DeskDependencies, file: OpenFile, said: Person): Promise<Member | undefined> {
  if (file.accountId === undefined) {
    const membership = await deps.directory.match(said, file.memberNumber ?? '');
    if (membership === undefined) return undefined;
    return {
      membership,
      account: await findByMemberNumbers(deps.accounts, [membership.memberNumber, ...membership.formerNumbers]),
    };
  }
  const account = await deps.accounts.find(file.accountId);
  if (account === undefined) return undefined;
  const membership = await membershipNow(deps, account.value);
  const known = [personOf(account.value), membership].filter((one) => one !== undefined);
  return known.some((person) => samePerson(said, person)) ? { account, membership } : undefined;
}

/**
 * The caller check: the agent types what the caller says, and the server compares. The agent never sees what is right, nor which
 * answer was wrong. It identifies and does not authenticate (NIST SP 800-63A-4 3.1.1.2): whatever opens something still goes to a
 * contact on file.
 */
export async function checkCaller(
  deps: DeskDependencies,
  form: Form,
  visit: StaffVisit,
  ctx: PageContext,
): Promise<Outcome<string>> {
  const file = await deps.files.find(visit.session.uid, String(ctx.params.handle));
  if (file === undefined) return refused('caller-not-checked');
  const said = readPerson(form);
  if (!said.ok) return said;
  // However the number is written: each way of writing it would have tries of its own.
  const whose = file.accountId ?? `number:${canonicalMemberNumber(file.memberNumber ?? '')}`;
  const isFree = await mayTry(deps, 'caller', whose);
  const giveBack = () => deps.attempts.giveBack(poolOf(deps.digest, 'caller', whose), LOCKOUT.caller);
  const member = isFree
    ? await identify(deps, file, said.proven).catch(async (error) => {
        // Nothing was compared: nobody was wrong.
        await giveBack();
        throw error;
      })
    : undefined;
  const { account, membership } = member ?? {};
  const nobody = isFree ? 'caller-wrong' : 'caller-locked';
  const refusal = member === undefined ? nobody : await conflictWithMember(deps, visit, member);
  const { reason } = file;
  await recordDesk(deps, visit, {
    ...{ action: 'caller-check', outcome: refusal, reason, accountId: account?.id ?? file.accountId },
  });
  if (refusal === 'caller-locked') await tellOfFailures(deps, visit, file);
  if (member === undefined || refusal !== undefined) return refused(refusal ?? nobody);
  await giveBack();
  await deps.files.check(visit.session.uid, file, {
    accountId: account?.id,
    membership: account === undefined ? membership : undefined,
  });
  if (account !== undefined)
    await deps.post.tellOwner(account.id, account.value, 'support-checked', {}, { by: agentDoes(visit, reason) });
  return proven(ctx.path.replace(/\/[^/]+$/, ''));
}

/** Somebody does not stop giving wrong details: whose account it is hears of it, once an hour. */
async function tellOfFailures({ accounts, post }: DeskDependencies, visit: StaffVisit, file: OpenFile): Promise<void> {
  const account = file.accountId === undefined ? undefined : await accounts.find(file.accountId);
  if (account === undefined) return;
  const by = agentDoes(visit, file.reason);
  await post.tellOwner(account.id, account.value, 'support-check-failed', {}, { by, seldom: true });
}

export const callerFieldOf = (refusal: Refusal): string => PERSON_FIELD_OF[refusal] ?? 'first-name';
