import type { Trail } from '../../core/audit/trail.ts';
import type { ClientDirectory } from '../../core/client/client.ts';
import { appNames } from './appNames.ts';
import type { AccountPage } from './page.ts';

export interface ActivityDependencies {
  readonly clients: ClientDirectory;
  readonly issuer: string;
  readonly trail: Pick<Trail, 'of'>;
}

const ON_A_PAGE = 25;

/** What happened to the account, the newest first. */
export const activityPage = ({ clients, issuer, trail }: ActivityDependencies): AccountPage => ({
  path: '/activity',
  view: 'account/activity',
  async show({ account }, ctx) {
    const nameOf = appNames(clients, issuer, ctx.state.locale);
    const { events, more } = await trail.of(account.id, { after: String(ctx.query.after ?? ''), limit: ON_A_PAGE });
    const named = events.map(async (event) => ({
      ...event,
      app: event.app === undefined ? undefined : await nameOf(event.app),
    }));
    return { events: await Promise.all(named), more };
  },
});
