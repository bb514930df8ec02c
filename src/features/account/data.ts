import type Router from '@koa/router';
import { type Account, contactsOf } from '../../core/account/account.ts';
import type { Trail, TrailEvent } from '../../core/audit/trail.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import { type Consent, consentsOf } from '../../core/consent/consent.ts';
import type { ListedSession } from '../../core/session/listedSession.ts';
import type { Collection } from '../../core/storage/collection.ts';
import { type PageContext, type PageState, pageContext } from '../../http/context.ts';
import type { SignedIn, Visit } from '../../http/signedIn.ts';
import type { AccountPage } from './page.ts';

export interface DataDependencies {
  readonly clock: Clock;
  readonly consents: Collection<Consent>;
  readonly trail: Trail;
  readonly sessions: { list(ctx: PageContext, accountId: string): Promise<readonly ListedSession[]> };
  readonly signedIn: SignedIn;
}

const ISO = (at: number | undefined): string | undefined =>
  at === undefined ? undefined : new Date(at * 1_000).toISOString();

/** What an account can show as its second step, without what opens it. */
function secondStepsOf({ factors }: Account): object[] {
  const { passkeys = [], totp, phone, recoveryCodes } = factors ?? {};
  return [
    ...passkeys.map(({ name, addedAt, usedAt }) => ({ kind: 'passkey', name, added: ISO(addedAt), used: ISO(usedAt) })),
    ...(totp === undefined ? [] : [{ kind: 'authenticator app', added: ISO(totp.addedAt) }]),
    ...(phone === undefined ? [] : [{ kind: 'phone', to: phone.to, added: ISO(phone.addedAt) }]),
    ...(recoveryCodes === undefined ? [] : [{ kind: 'recovery codes', count: recoveryCodes.length }]),
  ];
}

async function everyEvent(trail: Trail, accountId: string): Promise<TrailEvent[]> {
  const all: TrailEvent[] = [];
  let after: string | undefined = '';
  while (after !== undefined) {
    const { events, more } = await trail.of(accountId, { after, limit: 500 });
    all.push(...events);
    after = more;
  }
  return all;
}

/** All that is kept about a member here, but for what opens the account. Times are in ISO 8601. */
async function dataOf(deps: DataDependencies, { account: { id, value } }: Visit, ctx: PageContext): Promise<object> {
  const { username, firstName, lastName, birthDate, postalCode, memberNumber, locale, agreed } = value;
  const sessions = await deps.sessions.list(ctx, id);
  const consents = await consentsOf(deps.consents, id, seconds(deps.clock));
  return {
    account: {
      ...{ id, username, firstName, lastName, birthDate, postalCode, memberNumber, language: locale },
      ...{ opened: ISO(value.createdAt), changed: ISO(value.updatedAt), closes: ISO(value.closesAt) },
    },
    contacts: contactsOf(value),
    agreedTo: agreed,
    secondSteps: secondStepsOf(value),
    sessions: sessions.map(({ agent, startedAt, usedAt, apps }) => ({
      ...{ browser: agent, signedIn: ISO(startedAt), lastUsed: ISO(usedAt), apps },
    })),
    connectedApps: consents.map(({ clientId, scopes, claims, apiScopes, givenAt, until }) => ({
      ...{ app: clientId, scopes, claims, apiScopes, allowed: ISO(givenAt), ends: ISO(until) },
    })),
    activity: (await everyEvent(deps.trail, id)).map(({ at, what, app, agent }) => ({
      ...{ at: new Date(at).toISOString(), what, app, browser: agent },
    })),
  };
}

/** What the member can take along, in words; the file is behind a button. */
export const dataPage = (): AccountPage => ({
  path: '/data',
  view: 'account/data',
  show: async () => ({}),
});

/** `GET /account/data.json`: the file. */
export function mountDownload(router: Router<PageState>, deps: DataDependencies): void {
  router.get('/account/data.json', async (context) => {
    const ctx = pageContext(context);
    const visit = await deps.signedIn.enter(ctx, { fresh: true });
    if (visit === undefined) return;
    await deps.trail.record(visit.account.id, { what: 'data-downloaded', agent: visit.agent });
    ctx.set({ 'Cache-Control': 'no-store', 'Content-Disposition': 'attachment; filename="my-account.json"' });
    ctx.type = 'json';
    ctx.body = `${JSON.stringify(await dataOf(deps, visit, ctx), null, 2)}\n`;
  });
}
