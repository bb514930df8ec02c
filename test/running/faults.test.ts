import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startMongo, startRedis } from '../../scripts/servers.mjs';
import { systemClock } from '../../src/adapters/systemClock.ts';
import { openServerStores } from '../../src/stores/open.ts';
import { MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, Visitor, webClient } from '../support/relyingParty.ts';
import { STORE_PAIRS, type StorePair } from '../support/stores.ts';

const { TEST_MONGOD = '', TEST_REDIS_SERVER = '' } = process.env;
type Server = Awaited<ReturnType<typeof startRedis>>;

/** The servers of this suite are its own, because it kills them. */
(TEST_MONGOD === '' || TEST_REDIS_SERVER === '' ? describe.skip : describe)('a server that goes away', () => {
  let provider: RunningProvider;
  let app: RelyingParty;
  const servers: Record<'MongoDB' | 'Redis', Server> = {} as never;
  const begin = {
    MongoDB: (at?: object) => startMongo(TEST_MONGOD, at),
    Redis: (at?: object) => startRedis(TEST_REDIS_SERVER, at),
  };

  beforeAll(async () => {
    [servers.MongoDB, servers.Redis] = await Promise.all([begin.MongoDB(), begin.Redis()]);
    const stores = await openServerStores(
      `${servers.MongoDB.uri}/faults`,
      servers.Redis.uri,
      systemClock,
      () => undefined,
    );
    provider = await startProvider(STORE_PAIRS[0] as StorePair, { clients: [webClient()], stores });
    app = await RelyingParty.discover(provider.issuer);
  });
  afterAll(async () => {
    await provider.close();
    await provider.stores.close();
    await Promise.all([servers.MongoDB.stop(), servers.Redis.stop()]);
  });

  test.each(['MongoDB', 'Redis'] as const)(
    '%s stopped in the middle of a journey shows a clear page, and all is well within 10 s of its return',
    async (name) => {
      const visitor = new Visitor();
      const started = await app.start();
      const page = await visitor.go(started.url, provider.issuer);
      expect(page.body).toContain('id="password"');

      const { port, directory, stop } = servers[name];
      await stop({ keep: true });
      const waiting = Date.now();
      const answers = [await visitor.post(page, MEMBER)];
      const others = [await visitor.fetch(page.url), await visitor.fetch(started.url)];
      // Without MongoDB the apps are known for ten minutes more, so that pages are still shown; nobody gets in.
      if (name === 'MongoDB') expect(others.map(({ status }) => status)).toEqual([200, 303]);
      else answers.push(...others);
      for (const answer of answers) {
        expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '10']);
        expect(answer.body).toContain('Sign-in is not working right now');
        expect(answer.body).toContain('call 911');
      }
      const status = await visitor.fetch(`${provider.issuer}/status`);
      expect([status.status, status.body.includes('id="sign-in-down"')]).toEqual([503, true]);
      expect(Date.now() - waiting).toBeLessThan(15_000);
      const token = await fetch(`${provider.issuer}/token`, {
        method: 'POST',
        headers: { accept: 'application/json' },
        body: new URLSearchParams({
          grant_type: 'refresh_token',
          refresh_token: 'x',
          client_id: 'care-messages',
          client_secret: webClient().client_secret,
        }),
      });
      expect([token.status, ((await token.json()) as { error: string }).error]).toEqual(
        name === 'MongoDB' ? [400, 'invalid_grant'] : [503, 'temporarily_unavailable'],
      );

      servers[name] = await begin[name]({ port, directory });
      const returned = Date.now();
      let back = await visitor.post(page, MEMBER);
      while (back.status === 503 && Date.now() - returned < 10_000) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        back = await visitor.post(page, MEMBER);
      }
      expect(back.status).toBe(303);
      const end = await visitor.go(page.url, provider.issuer);
      expect((await app.redeem(end.url, started)).claims()?.amr).toEqual(['pwd']);
      expect(Date.now() - returned).toBeLessThan(10_000);
    },
    60_000,
  );
});
