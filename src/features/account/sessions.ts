import type { Trail } from '../../core/audit/trail.ts';
import type { ClientDirectory } from '../../core/client/client.ts';
import { proven } from '../../core/refusal.ts';
import type { ListedSession } from '../../core/session/listedSession.ts';
import type { PageContext } from '../../http/context.ts';
import { appNames } from './appNames.ts';
import { type AccountPage, done } from './page.ts';

export interface SessionsDependencies {
  readonly clients: ClientDirectory;
  readonly issuer: string;
  readonly trail: Pick<Trail, 'record'>;
  readonly sessions: {
    list(ctx: PageContext, accountId: string): Promise<readonly ListedSession[]>;
    endOne(accountId: string, handle: string): Promise<boolean>;
    /** Ends all but this browser's, and what apps were granted. */
    keepOnlyThis(ctx: PageContext, accountId: string, epoch: number): Promise<void>;
  };
}

const PATH = '/sessions';
const HOME = `/account${PATH}`;

/** Where the member is signed in. Ending a session needs no fresh sign-in: it takes away, and opens nothing. */
export const sessionsPage = ({ clients, issuer, trail, sessions }: SessionsDependencies): AccountPage => ({
  path: PATH,
  view: 'account/sessions',
  async show({ account }, ctx) {
    const nameOf = appNames(clients, issuer, ctx.state.locale);
    const listed = await sessions.list(ctx, account.id);
    return {
      sessions: await Promise.all(
        listed.map(async (one) => ({ ...one, apps: await Promise.all(one.apps.map(nameOf)) })),
      ),
    };
  },
  actions: {
    end: {
      fresh: false,
      async run(form, { account, agent }) {
        const ended = await sessions.endOne(account.id, form.get('session') ?? '');
        if (ended) await trail.record(account.id, { what: 'session-ended', agent });
        return proven(done(HOME, 'session-ended'));
      },
    },
    'end-others': {
      fresh: false,
      async run(_, { account, agent }, ctx) {
        await sessions.keepOnlyThis(ctx, account.id, account.value.deviceEpoch);
        await trail.record(account.id, { what: 'sessions-ended', agent });
        return proven(done(HOME, 'sessions-ended'));
      },
    },
  },
});
