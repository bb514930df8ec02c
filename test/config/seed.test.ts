import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { seedClients } from '../../src/config/seed.ts';
import { digestSecret } from '../../src/core/client/secret.ts';
import { change } from '../../src/core/storage/collection.ts';
import type { Stores } from '../../src/core/storage/stores.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { webClient } from '../support/relyingParty.ts';

describeOnEveryStore('an app of CLIENTS_FILE', (pair) => {
  const clock = new TestClock();
  const entry = webClient();
  let stores: Stores;
  beforeEach(async () => {
    stores = await pair.open(clock);
    await start();
  });
  afterEach(() => stores.close());

  const start = (app = entry) => seedClients(stores, [app], () => undefined, clock);
  const record = async () => (await stores.clients.find(entry.client_id))?.value;
  const digests = async () => (await record())?.secrets.map(({ digest }) => digest);

  test('stays as administrators have made it when a node starts again', async () => {
    const rotated = { digest: digestSecret('another one, because the first leaked'), createdAt: 1 };
    await change(stores.clients, entry.client_id, (now) => ({ ...now, secrets: [rotated], disabled: true }));
    await start();
    expect([await digests(), (await record())?.disabled]).toEqual([[rotated.digest], true]);
  });

  test('is as the file says once its entry there has changed, and when it was deleted', async () => {
    const next = webClient({ client_secret: 'a secret that the file has had since this morning', client_name: 'New' });
    await start(next);
    expect([await digests(), (await record())?.metadata.client_name]).toEqual([
      [digestSecret(next.client_secret)],
      'New',
    ]);
    await start(entry);
    expect(await digests()).toEqual([digestSecret(entry.client_secret)]);
    await stores.clients.remove(entry.client_id, Number((await stores.clients.find(entry.client_id))?.version));
    await start(entry);
    expect(await digests()).toEqual([digestSecret(entry.client_secret)]);
  });
});
