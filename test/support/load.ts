import { expect } from '@jest/globals';
import * as openid from 'openid-client';
import { MEMBER } from './provider.ts';
import { RelyingParty, signIn, Visitor } from './relyingParty.ts';

/**
 * Members who sign in without a pause, come back with their session, and whose app refreshes its tokens; any failure is one of
 * the test. `stop` says how many came all the way.
 */
export async function signInWithoutPause(issuer: string, members: number) {
  let running = true;
  let signedIn = 0;
  const app = await RelyingParty.discover(issuer);
  const member = async () => {
    while (running) {
      const visitor = new Visitor();
      const started = await app.start();
      const end = await signIn(visitor, issuer, started, MEMBER);
      const tokens = await app.redeem(end.url, started);
      expect(tokens.claims()?.amr).toEqual(['pwd']);
      const again = await app.start();
      expect((await visitor.go(again.url, issuer)).url).toContain('code=');
      await openid.refreshTokenGrant(app.config, String(tokens.refresh_token));
      signedIn += 1;
    }
  };
  const all = Promise.all(Array.from({ length: members }, member));
  // Who fails early is heard of at the end.
  all.catch(() => undefined);
  return {
    count: () => signedIn,
    async stop(): Promise<number> {
      running = false;
      await all;
      return signedIn;
    },
  };
}
