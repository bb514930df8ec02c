import { type ClosingDependencies, keepOpen } from '../../core/account/closing.ts';
import { countOf } from '../../core/factors/factors.ts';
import { proven } from '../../core/refusal.ts';
import type { Post } from '../../http/post.ts';
import { type AccountPage, done } from './page.ts';

export interface OverviewDependencies extends ClosingDependencies {
  readonly post: Post;
}

/** What there is to see and to change, each with how it stands. */
export const overviewPage = (deps: OverviewDependencies): AccountPage => ({
  path: '',
  view: 'account/overview',
  async show({ account: { value } }) {
    const secondSteps = countOf(value);
    const hints = {
      profile: 'account.overview.profile',
      contacts: 'account.overview.contacts',
      security: secondSteps > 0 ? 'account.overview.security' : 'account.overview.noSecond',
      sessions: 'account.overview.sessions',
      apps: 'account.overview.apps',
      activity: 'account.overview.activity',
      data: 'account.overview.data',
    };
    return { name: value.firstName, secondSteps, pages: Object.entries(hints), closesAt: value.closesAt };
  },
  actions: {
    // It gives nothing away, so no fresh sign-in stands before it.
    keep: {
      fresh: false,
      async run(_, { account: { id }, agent }) {
        const kept = await keepOpen(deps, id);
        if (kept !== undefined) await deps.post.tellOwner(id, kept, 'closing-taken-back', {}, { agent });
        return proven(done('/account', 'closing-taken-back'));
      },
    },
  },
});
