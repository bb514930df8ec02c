import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/adapters/systemClock.ts';
import type { Stores } from '../../src/core/storage/stores.ts';
import { openServerStores } from '../../src/stores/open.ts';
import { MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { type Counts, observed, watchServers } from '../support/storeCommands.ts';
import { freshServers, STORE_PAIRS } from '../support/stores.ts';

const SERVICE = webClient({ client_id: 'service', redirect_uris: [], grant_types: ['client_credentials'] });
const [, servers] = STORE_PAIRS;

/** The whole of a sign-in by password: six requests, eight of the commands for the pools of attempts. */
const SIGN_IN: Counts = {
  ...{ hmget: 10, evalsha: 22, del: 4 },
  ...{ 'query accounts': 4, 'query claims': 1, 'query roster': 1, 'insert audit': 3, 'insert trail': 1 },
};

/**
 * Trips to the servers are what a request costs most, and one more is easily added unseen. Who needs one changes the number here,
 * and says why.
 */
(servers.available ? describe : describe.skip)('what MongoDB and Redis are asked', () => {
  let stores: Stores;
  let provider: RunningProvider;
  let app: RelyingParty;
  let watch: Awaited<ReturnType<typeof watchServers>>;
  let settled: () => Promise<void>;
  beforeAll(async () => {
    const { mongoUri, redisUrl } = await freshServers();
    stores = await openServerStores(mongoUri, redisUrl, systemClock, () => undefined);
    const seen = observed(stores);
    const clients = [webClient(), { ...SERVICE, response_types: [] }];
    provider = await startProvider(servers, { stores: seen.stores, clients });
    settled = async () => {
      await seen.settled();
      await provider.finish();
    };
    app = await RelyingParty.discover(provider.issuer);
    watch = await watchServers(mongoUri, redisUrl);
  });
  afterAll(async () => {
    await provider.close();
    await watch.close();
    await stores.close();
  });

  /** The second time: the first one loads scripts and clients. */
  const countsOf = async (work: () => Promise<unknown>): Promise<Counts> => {
    await work();
    return watch.during(work, settled);
  };
  const signedIn = async (visitor = new Visitor()) => {
    const started = await app.start();
    const { url } = await signIn(visitor, provider.issuer, started, MEMBER);
    return { visitor, tokens: await app.redeem(url, started) };
  };
  const post = async (path: string, { client_id, client_secret }: typeof SERVICE, form: Record<string, string>) => {
    const credentials = Buffer.from([client_id, client_secret].map(encodeURIComponent).join(':')).toString('base64');
    const headers = { authorization: `Basic ${credentials}` };
    const answer = await fetch(provider.issuer + path, { method: 'POST', headers, body: new URLSearchParams(form) });
    expect(answer.status).toBe(200);
    return answer.json() as Promise<Record<string, unknown>>;
  };

  test('for a token of a client that acts for itself', async () => {
    expect(await countsOf(() => post('/token', SERVICE, { grant_type: 'client_credentials' }))).toEqual({
      evalsha: 1,
      'insert audit': 1,
    });
  });

  test('for an introspection', async () => {
    const { tokens } = await signedIn();
    const ask = () => post('/token/introspection', webClient(), { token: tokens.access_token });
    expect((await ask()).active).toBe(true);
    expect(await countsOf(ask)).toEqual({ hmget: 6 });
  });

  test('for the claims of a member', async () => {
    const { tokens } = await signedIn();
    const headers = { authorization: `Bearer ${tokens.access_token}` };
    const ask = async () => expect((await fetch(`${provider.issuer}/me`, { headers })).status).toBe(200);
    expect(await countsOf(ask)).toEqual({ hmget: 4, 'query accounts': 1 });
  });

  test('for a refresh', async () => {
    let token = String((await signedIn()).tokens.refresh_token);
    const refresh = async () => {
      const form = { grant_type: 'refresh_token', refresh_token: token };
      token = String((await post('/token', webClient(), form)).refresh_token);
    };
    expect(await countsOf(refresh)).toEqual({ hmget: 4, evalsha: 7, 'query accounts': 1, 'insert audit': 1 });
  });

  test('for a sign-in without a page, by a session', async () => {
    const { visitor } = await signedIn();
    const again = async () => {
      const { url } = await visitor.go((await app.start()).url, provider.issuer);
      expect(url).toContain('https://app.example/callback?code=');
    };
    expect(await countsOf(again)).toEqual({ hmget: 2, evalsha: 4, 'query accounts': 1 });
  });

  test('for a whole sign-in, from the authorization request to the tokens', async () => {
    expect(await countsOf(() => signedIn())).toEqual(SIGN_IN);
  });
});
