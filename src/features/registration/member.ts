import { type Account, findByMemberNumbers } from '../../core/account/account.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import { codePurpose, subjectOf } from '../../core/codes/purposes.ts';
import { canonicalMemberNumber } from '../../core/membership/matching.ts';
import type { Membership, MembershipDirectory } from '../../core/membership/membership.ts';
import { missed, proven, refused } from '../../core/refusal.ts';
import type { Collection, Stored } from '../../core/storage/collection.ts';
import type { Post } from '../../http/post.ts';
import { type ErrandContext, step } from '../../http/step.ts';

export interface MemberDependencies {
  readonly directory: MembershipDirectory;
  readonly accounts: Collection<Account>;
  readonly clock: Clock;
  readonly post: Post;
  readonly newId: () => string;
}

/** Who holds a membership already, under this number or one that was merged into it. */
export const accountOf = (
  accounts: Collection<Account>,
  { memberNumber, formerNumbers }: Membership,
): Promise<Stored<Account> | undefined> => findByMemberNumbers(accounts, [memberNumber, ...formerNumbers]);

/**
 * The member number: here the plan's records are asked. Who registers is told one thing for every reason why not; who has
 * forgotten something is told nothing at all, and waits for a code that may never come.
 */
export const memberStep = (deps: MemberDependencies) =>
  step<string, ErrandContext>({
    name: 'member',
    view: 'registration/member',
    even: true,

    show: async ({ journey }, typed) => ({
      number: typed?.get('member-number') ?? journey.facts.member?.typed ?? '',
      backUrl: `/journey/${journey.id}/person`,
    }),

    parse(form) {
      const number = (form.get('member-number') ?? '').trim().slice(0, 60);
      return canonicalMemberNumber(number) === '' ? refused('member-number-missing') : proven(number);
    },

    async identify(number, { network }) {
      const counted = [
        { rule: network.shared ? 'detailsSharedNetwork' : 'detailsNetwork', subject: network.key, cleared: false },
        { rule: 'details', subject: canonicalMemberNumber(number), cleared: false },
        { rule: 'detailsInAll', subject: 'all', cleared: false },
      ] as const;
      return { counted, lockedAs: 'details-locked', input: number };
    },

    async submit(typed, { journey }) {
      const { person } = journey.facts;
      if (person === undefined) throw new Error('a member number is asked of nobody');
      const at = seconds(deps.clock);
      const match = await deps.directory.match(person, typed);
      const found = match?.standing === 'active' ? match : undefined;
      const holder = found && (await accountOf(deps.accounts, found));
      if (journey.course !== 'register') {
        const sent = { at };
        return found
          ? proven({ member: { at, typed, found, ...(holder ? { accountId: holder.id } : {}) }, sent })
          : missed({ member: { at, typed }, sent });
      }
      if (found !== undefined && holder === undefined)
        return proven({ member: { at, typed, found, accountId: deps.newId() } });
      // Off the request's path: the answer takes no longer for a membership that somebody holds.
      if (holder !== undefined)
        void deps.post.tellOwner(holder.id, holder.value, 'registration-attempt', {}, { seldom: true }).catch(() => {});
      return refused('details-unmatched');
    },

    async conclude({ member }, { journey, locale, network, app }) {
      if (journey.course === 'register' || journey.course === 'letter' || member === undefined) return;
      const [purpose, subject] = [codePurpose(journey.id, { member }), subjectOf({ member })];
      await deps.post.sendCode({ purpose, subject, contacts: member.found?.contacts ?? [], locale, network, app });
    },

    fieldOf: () => 'member-number',
    pageOf: (refusal) => (refusal === 'details-unmatched' ? 'registration/unmatched' : undefined),
  });
