import { expect, test } from '@jest/globals';
import { openAppServer } from '../support/appServer.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { MEMBER, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';

const BROKEN = webClient({
  ...{ client_id: 'broken', subject_type: 'pairwise', sector_identifier_uri: 'https://localhost:1/sector.json' },
  backchannel_logout_uri: 'https://localhost:1/logout',
});

describeOnEveryStore('an app whose registration can no longer be read', (pair) => {
  test('keeps nobody from signing out, and no other app from hearing of the end of a session', async () => {
    const server = await openAppServer();
    const app = webClient({ backchannel_logout_uri: `${server.origin}/logout` });
    const provider = await startProvider(pair, { clients: [app], env: { OUTBOUND_ALLOW: server.origin } });
    const { client_secret: _, ...metadata } = BROKEN;
    const record = { metadata, secrets: [], disabled: false, createdAt: 1, updatedAt: 1 };
    await provider.stores.clients.insert('broken', record);

    // A member who used both signs out.
    const visitor = new Visitor();
    await signIn(visitor, provider.issuer, await (await RelyingParty.discover(provider.issuer)).start(), MEMBER);
    const [id = ''] = await sessionIds(provider.stores, MEMBER.username);
    const key = `Session:${id}`;
    const { value = {}, version = 0 } = (await provider.stores.expiring.get(key)) ?? {};
    const { authorizations } = value as { authorizations: object };
    const both = { ...authorizations, broken: { sid: 'sid-of-broken', grantId: 'grant-of-broken' } };
    await provider.stores.expiring.swap(key, version, { ...value, authorizations: both }, Date.now() + 600_000);
    const page = await visitor.go(`${provider.issuer}/session/end`, provider.issuer);
    const end = await visitor.submit(page, { logout: 'yes' }, provider.issuer);
    expect(end.body).toContain('You are signed out');

    // Two sessions run out, and the first was used for the broken one.
    const ends = (name: string, authorizations: object) =>
      provider.stores.schedule.put('session-ends', name, Date.now() - 2, { accountId: name, authorizations });
    await ends('one', { broken: { sid: 'a' }, [app.client_id]: { sid: 'b' } });
    await ends('two', { [app.client_id]: { sid: 'c' } });
    await provider.work();
    await provider.work();
    expect(server.heard).toHaveLength(3);
    await provider.close();
    await server.close();
  });
});

/** The sessions of a member. */
async function sessionIds(stores: Awaited<ReturnType<typeof startProvider>>['stores'], username: string) {
  const account = await stores.accounts.findByClaim(`name:${username}`);
  return stores.expiring.members(`account:Session:${account?.id}`);
}
