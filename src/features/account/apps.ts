import type { Trail } from '../../core/audit/trail.ts';
import { type ClientDirectory, findMetadata } from '../../core/client/client.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import { type Consent, consentsOf, endConsent, findConsent, shownScopes } from '../../core/consent/consent.ts';
import { proven } from '../../core/refusal.ts';
import type { Collection } from '../../core/storage/collection.ts';
import { appNames } from './appNames.ts';
import { type AccountPage, done } from './page.ts';

export interface AppsDependencies {
  readonly clients: ClientDirectory;
  readonly issuer: string;
  readonly clock: Clock;
  readonly consents: Collection<Consent>;
  readonly trail: Pick<Trail, 'record'>;
  /** What a scope of an API means, by language. */
  readonly apiWords: (apiScope: string) => Readonly<Record<string, string>>;
  /** Takes away all that an app was granted, and tells it. */
  readonly disconnect: (accountId: string, clientId: string) => Promise<void>;
}

const PATH = '/apps';

/** The apps that the member has allowed to see something, and what. */
export const appsPage = (deps: AppsDependencies): AccountPage => ({
  path: PATH,
  view: 'account/apps',
  async show({ account }, ctx) {
    const nameOf = appNames(deps.clients, deps.issuer, ctx.state.locale);
    const consents = await consentsOf(deps.consents, account.id, seconds(deps.clock));
    const apps = consents.map(async ({ clientId, scopes, claims, apiScopes = [], givenAt, until }) => ({
      ...{ clientId, claims, givenAt, until, name: await nameOf(clientId) },
      ...{ scopes: shownScopes(scopes), apis: apiScopes.map(deps.apiWords) },
    }));
    return { apps: await Promise.all(apps) };
  },
  actions: {
    // It takes away, and opens nothing: no fresh sign-in.
    disconnect: {
      fresh: false,
      async run(form, { account, agent }) {
        const clientId = form.get('app') ?? '';
        const [app, consent] = await Promise.all([
          findMetadata(deps.clients, clientId),
          findConsent(deps.consents, account.id, clientId, seconds(deps.clock)),
        ]);
        if (app === undefined && consent === undefined) return proven(`/account${PATH}`);
        // The consent first: what was granted is not granted anew.
        await endConsent(deps.consents, account.id, clientId, seconds(deps.clock));
        await deps.disconnect(account.id, clientId);
        await deps.trail.record(account.id, { what: 'app-disconnected', app: clientId, agent });
        return proven(done(`/account${PATH}`, 'app-disconnected'));
      },
    },
  },
});
