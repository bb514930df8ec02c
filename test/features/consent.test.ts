import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as openid from 'openid-client';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { MEMBER, OTHER_MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';

const PARTNER = webClient({ client_id: 'partner', client_name: 'Partner <App>', first_party: undefined });

describeOnEveryStore("an app that is not the plan's own", (pair) => {
  let provider: RunningProvider;
  let app: RelyingParty;
  beforeAll(async () => {
    provider = await startProvider(pair, {
      clients: [
        PARTNER,
        webClient(),
        {
          ...PARTNER,
          client_id: 'native',
          application_type: 'native',
          first_party: true,
          client_secret: undefined,
          token_endpoint_auth_method: 'none',
          redirect_uris: ['com.example.app:/callback'],
          post_logout_redirect_uris: [],
        },
      ],
    });
    app = await RelyingParty.discover(provider.issuer, PARTNER);
  });
  afterAll(() => provider.close());

  /** Signs in and stands on the consent page, or wherever that led. */
  async function askedBy(visitor: Visitor, parameters: Record<string, string> = {}, member = MEMBER) {
    const started = await app.start(parameters);
    return { started, page: await signIn(visitor, provider.issuer, started, member) };
  }

  test('must ask; what it asks for is said in words; Allow gives it that and no more', async () => {
    const visitor = new Visitor();
    const { started, page } = await askedBy(visitor, { scope: 'openid email' }, OTHER_MEMBER);
    expect(page.body).toContain('Partner &lt;App&gt; is not run by');
    expect(page.body).toContain('See your email address');
    expect(page.body).not.toContain('See your phone number');
    const back = await visitor.submit(page, { decision: 'allow' }, provider.issuer);
    const tokens = await app.redeem(back.url, started);
    const info = await openid.fetchUserInfo(app.config, tokens.access_token, String(tokens.claims()?.sub));
    expect(info).toEqual({ sub: tokens.claims()?.sub, email: 'miembro.ejemplo@example.com', email_verified: true });

    const another = new Visitor();
    const remembered = await askedBy(another, { scope: 'openid email' }, OTHER_MEMBER);
    expect(remembered.page.url).toContain('code=');
    const more = await another.go((await app.start({ scope: 'openid email phone' })).url, provider.issuer);
    expect(more.body).toContain('See your phone number');
    expect(more.body).toContain('See your email address');
  });

  test("Don't allow sends the member back to it with access_denied, and nothing is remembered", async () => {
    const visitor = new Visitor();
    const { page } = await askedBy(visitor);
    const back = await visitor.submit(page, { decision: 'deny' }, provider.issuer);
    expect(new URL(back.url).searchParams.get('error')).toBe('access_denied');
    expect((await askedBy(new Visitor())).page.body).toContain('Share your information?');
  });

  test('a form without a decision is refused in words', async () => {
    const visitor = new Visitor();
    const { page } = await askedBy(visitor);
    const answer = await visitor.submit(page, { decision: 'maybe' }, provider.issuer);
    expect([answer.status, answer.body.includes('Choose Allow or Don&#39;t allow')]).toEqual([422, true]);
  });

  test('asks again when it says prompt=consent, and may then outlive the session', async () => {
    const visitor = new Visitor();
    const parameters = { scope: 'openid email offline_access', prompt: 'consent' };
    const first = await askedBy(visitor, parameters);
    expect(first.page.body).toContain('Keep getting this information');
    await visitor.submit(first.page, { decision: 'allow' }, provider.issuer);
    const again = await app.start(parameters);
    const page = await visitor.go(again.url, provider.issuer);
    expect(page.body).toContain('Share your information?');
    const back = await visitor.submit(page, { decision: 'allow' }, provider.issuer);
    expect((await app.redeem(back.url, again)).scope?.split(' ')).toContain('offline_access');
  });

  test("one member's consent says nothing about another's", async () => {
    const visitor = new Visitor();
    const scope = 'openid address';
    const { page } = await askedBy(visitor, { scope });
    await visitor.submit(page, { decision: 'allow' }, provider.issuer);
    expect((await askedBy(new Visitor(), { scope }, OTHER_MEMBER)).page.body).toContain('See your ZIP code');
  });

  test("a native app on a scheme of its own asks even when it is the plan's", async () => {
    const native = await RelyingParty.discover(provider.issuer, {
      ...PARTNER,
      client_id: 'native',
      redirect_uris: ['com.example.app:/callback'],
    });
    const visitor = new Visitor();
    const page = await signIn(visitor, provider.issuer, await native.start({ scope: 'openid' }), MEMBER);
    expect(page.headers.get('content-security-policy')).toContain("form-action 'self' https: com.example.app:");
    const back = await visitor.submit(page, { decision: 'allow' }, provider.issuer);
    expect(back.url).toMatch(/^com\.example\.app:\/callback\?code=/);
  });

  test('shows who is signed in, and lets somebody else sign in instead', async () => {
    const visitor = new Visitor();
    const { started, page } = await askedBy(visitor, { scope: 'openid profile phone', prompt: 'consent' });
    expect(page.body).toContain('You are signed in as sample.member.');
    const link = /id="switch-account" href="([^"]+)"/.exec(page.body)?.[1];
    const signInPage = await visitor.go(provider.issuer + link, provider.issuer);
    const asked = await visitor.submit(signInPage, OTHER_MEMBER, provider.issuer);
    expect(asked.body).toContain('You are signed in as miembro.ejemplo.');
    const back = await visitor.submit(asked, { decision: 'allow' }, provider.issuer);
    const info = await openid.fetchUserInfo(
      app.config,
      (await app.redeem(back.url, started)).access_token,
      openid.skipSubjectCheck,
    );
    expect(info.preferred_username).toBe('miembro.ejemplo');
  });

  test('is allowed nothing by the next person at a browser whose session is gone', async () => {
    const visitor = new Visitor();
    const scope = 'openid membership';
    const { page } = await askedBy(visitor, { scope });
    visitor.forget('session');
    expect((await visitor.post(page, { decision: 'allow' })).status).toBe(410);
    expect((await askedBy(new Visitor(), { scope })).page.body).toContain('See your member number');
  });

  test('is told and remembered one answer when two are sent at once', async () => {
    const scope = 'openid membership phone';
    for (let round = 0; round < 5; round += 1) {
      const visitor = new Visitor();
      const { page } = await askedBy(visitor, { scope });
      if (!page.body.includes('Share your information?')) return;
      await Promise.all(['deny', 'allow'].map((decision) => visitor.post(page, { decision })));
      const back = await visitor.go(page.url, provider.issuer);
      const denied = new URL(back.url).searchParams.get('error') === 'access_denied';
      const next = await askedBy(new Visitor(), { scope });
      expect(next.page.body.includes('Share your information?')).toBe(denied);
    }
  });
});
