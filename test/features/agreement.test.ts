import { expect, test } from '@jest/globals';
import { findBySignInName } from '../../src/core/account/account.ts';
import { change } from '../../src/core/storage/collection.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { MEMBER, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';

describeOnEveryStore('a member who has agreed to terms that have changed', (pair) => {
  test('agrees again at the next sign-in, once', async () => {
    const provider = await startProvider(pair, { clients: [webClient()] });
    const app = await RelyingParty.discover(provider.issuer);
    const { accounts } = provider.stores;
    const id = String((await findBySignInName(accounts, MEMBER.username))?.id);
    const agreed = async () => (await accounts.find(id))?.value.agreed;

    // Who agreed elsewhere, before the account was taken over, is not asked.
    expect((await signIn(new Visitor(), provider.issuer, await app.start(), MEMBER)).url).toContain('code=');
    await change(accounts, id, (account) => ({
      ...account,
      agreed: { terms: '2020-01', privacy: provider.config.plan.agreements.privacy.version },
    }));

    const visitor = new Visitor();
    const asked = await signIn(visitor, provider.issuer, await app.start(), MEMBER);
    expect(asked.body).toContain('Our terms have changed');
    const refused = await visitor.submit(asked, {}, provider.issuer);
    expect([refused.status, refused.body]).toEqual([422, expect.stringContaining('Read and accept the terms')]);
    // Another way around the page there is none.
    expect((await visitor.go((await app.start()).url, provider.issuer)).body).toContain('id="password"');
    expect(await agreed()).toMatchObject({ terms: '2020-01' });

    const back = await visitor.submit(refused, { terms: 'yes', texts: 'yes' }, provider.issuer);
    expect(back.url).toContain('code=');
    const { terms, privacy, sms } = provider.config.plan.agreements;
    expect(await agreed()).toEqual({ terms: terms.version, privacy: privacy.version, sms: sms.version });
    expect((await signIn(new Visitor(), provider.issuer, await app.start(), MEMBER)).url).toContain('code=');
    await provider.close();
  });
});
