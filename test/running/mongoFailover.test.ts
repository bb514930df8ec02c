import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/adapters/systemClock.ts';
import { findBySignInName } from '../../src/core/account/account.ts';
import { change } from '../../src/core/storage/collection.ts';
import type { Stores } from '../../src/core/storage/stores.ts';
import { Unavailable } from '../../src/core/storage/unavailable.ts';
import { openServerStores } from '../../src/stores/open.ts';
import { recorded } from '../support/audit.ts';
import { startReplicaSet } from '../support/mongoReplicas.ts';
import { MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { freshServers, STORE_PAIRS } from '../support/stores.ts';
import { within } from '../support/within.ts';

const { TEST_MONGOD = '' } = process.env;

(STORE_PAIRS[1].available ? describe : describe.skip)(
  'a MongoDB primary that steps down in the middle of writes',
  () => {
    let mongo: Awaited<ReturnType<typeof startReplicaSet>>;
    let stores: Stores;
    let provider: RunningProvider;
    let app: RelyingParty;
    beforeAll(async () => {
      mongo = await startReplicaSet(TEST_MONGOD);
      const { redisUrl } = await freshServers();
      stores = await openServerStores(mongo.uri('failover'), redisUrl, systemClock, () => undefined);
      provider = await startProvider(STORE_PAIRS[1], { clients: [webClient()], stores });
      app = await RelyingParty.discover(provider.issuer);
    }, 120_000);
    afterAll(async () => {
      await provider.close();
      await stores.close();
      await mongo.stop();
    });

    test('loses none that was acknowledged, writes none twice, and all is well within 10 s', async () => {
      const member = await findBySignInName(stores.accounts, MEMBER.username);
      const id = String(member?.id);
      let running = true;
      let acknowledged = 0;
      let inDoubt = 0;
      /** Each write counts one more on the same document, so that a lost one and a doubled one show. */
      const counting = async () => {
        while (running) {
          try {
            await change(stores.accounts, id, (account) => ({ ...account, updatedAt: account.updatedAt + 1 }));
            acknowledged += 1;
          } catch (error) {
            expect(error).toBeInstanceOf(Unavailable);
            inDoubt += 1;
          }
        }
      };
      let lastSorry = 0;
      let signedIn = 0;
      const signing = async () => {
        while (running) {
          const started = await app.start();
          const end = await signIn(new Visitor(), provider.issuer, started, MEMBER);
          if (end.status === 503) {
            lastSorry = Date.now();
            expect(end.body).toContain('Sign-in is not working right now');
            continue;
          }
          await app.redeem(end.url, started);
          signedIn += 1;
        }
      };
      const before = Number((await stores.accounts.find(id))?.value.updatedAt);
      const work = Promise.all([counting(), counting(), signing()]);
      let steppedDown = 0;
      try {
        await within(20, async () => acknowledged > 20 && signedIn > 2);
        await mongo.stepDown(10);
        steppedDown = Date.now();
        const [counted, arrived] = [acknowledged, signedIn];
        await within(20, async () => acknowledged > counted + 50 && signedIn > arrived + 5);
      } finally {
        running = false;
        await work;
      }
      const wellAfter = Math.max(0, lastSorry - steppedDown);
      console.info(`well after ${wellAfter} ms, ${inDoubt} writes in doubt, ${acknowledged} acknowledged`);
      expect(wellAfter).toBeLessThan(10_000);

      const after = Number((await stores.accounts.find(id))?.value.updatedAt);
      expect(inDoubt + lastSorry).toBeGreaterThan(0);
      // A write whose answer was lost may have happened, at most once.
      expect(after - before).toBeGreaterThanOrEqual(acknowledged);
      expect(after - before).toBeLessThanOrEqual(acknowledged + inDoubt);
      // Every sign-in that was answered is on record.
      const steps = (await recorded(stores)).filter(
        ({ action, outcome }) => action === 'step.password' && outcome === 'done',
      );
      expect(steps.length).toBeGreaterThanOrEqual(signedIn);
    }, 60_000);
  },
);
