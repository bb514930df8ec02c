import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose';
import { openAppServer } from '../../support/appServer.ts';
import { MEMBER, startProvider } from '../../support/provider.ts';
import { RelyingParty, type Visitor, webClient } from '../../support/relyingParty.ts';
import type { StorePair } from '../../support/stores.ts';
import { suiteClient } from './suite.ts';

/** The client of the certification plan. */
export const SUITE = 'conformance-suite';

/** Apps that want to hear of sign-outs, each with its own path on one server. */
export async function logoutApps(pair: StorePair) {
  const server = await openAppServer();
  const app = (id: string, more: object = {}) =>
    webClient({
      ...{ client_id: id, client_name: id, backchannel_logout_uri: `${server.origin}/${id}` },
      ...{ backchannel_logout_session_required: true, ...more },
    });
  const clients = [
    ...[app('first'), app('second'), app('without-sid', { backchannel_logout_session_required: undefined })],
    ...[app('pairwise', { subject_type: 'pairwise' })],
  ];
  const suite = suiteClient({
    ...{ backchannel_logout_uri: `${server.origin}/${SUITE}`, backchannel_logout_session_required: true },
    post_logout_redirect_uris: ['https://suite.example/post_logout_redirect'],
  });
  const provider = await startProvider(pair, { clients: [...clients, suite], env: { OUTBOUND_ALLOW: server.origin } });
  const jwks = createRemoteJWKSet(new URL(`${provider.issuer}/jwks`));

  return {
    ...{ provider, server, suite },

    /** A member signs in to this app, or is signed in already. Returns what the ID token says. */
    async enter(id: string, visitor: Visitor, member = MEMBER, parameters: Record<string, string> = {}) {
      const party = await RelyingParty.discover(provider.issuer, webClient({ client_id: id }));
      const started = await party.start(parameters);
      const page = await visitor.go(started.url, provider.issuer);
      const back = page.body.includes('id="password"') ? await visitor.submit(page, member, provider.issuer) : page;
      return (await party.redeem(back.url, started)).claims() as JWTPayload;
    },

    async leave(visitor: Visitor) {
      const page = await visitor.go(`${provider.issuer}/session/end`, provider.issuer);
      return visitor.submit(page, { logout: 'yes' }, provider.issuer);
    },

    /** What the logout tokens said that this app was sent, one after the other. */
    told: (id: string): Promise<JWTPayload[]> =>
      Promise.all(
        server.heard
          .filter(({ path }) => path === `/${id}`)
          .map(async ({ body }) => {
            const token = String(new URLSearchParams(body).get('logout_token'));
            // The tokens live for two minutes; the tests that move the date read them late.
            const expected = { issuer: provider.issuer, audience: id, typ: 'logout+jwt', clockTolerance: '2 days' };
            return (await jwtVerify(token, jwks, expected)).payload;
          }),
      ),

    async close() {
      await provider.close();
      await server.close();
    },
  };
}

export type LogoutApps = Awaited<ReturnType<typeof logoutApps>>;
