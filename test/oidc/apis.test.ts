import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as jose from 'jose';
import * as openid from 'openid-client';
import { apiScript, scriptClient } from '../support/apiScript.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { MEMBER, OTHER_MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';

const RECORDS = 'https://api.meadowlark.example/records';
const OWN = webClient({ client_id: 'own' });
const PARTNER = webClient({ client_id: 'partner', first_party: false });
const LIMITED = webClient({ client_id: 'limited', scope: 'openid records:read' });
const SERVICE = webClient({
  ...{ client_id: 'service', redirect_uris: [], response_types: [], grant_types: ['client_credentials'] },
  ...{ scope: 'records:read', introspects_all_tokens: true },
});
const UNLISTED = webClient({
  ...{ client_id: 'unlisted', redirect_uris: [], response_types: [], grant_types: ['client_credentials'] },
});
const LEAVING = ['disabled', 'deleted'].map((client_id) =>
  webClient({ client_id, grant_types: ['authorization_code', 'client_credentials'] }),
);
const PAIRS = ['https://one.example', 'https://two.example'].map((origin) =>
  webClient({ client_id: origin.slice(8, 11), redirect_uris: [`${origin}/cb`], subject_type: 'pairwise' }),
);

describeOnEveryStore("the plan's APIs", (pair) => {
  let provider: RunningProvider;
  const apps = new Map<string, RelyingParty>();
  beforeAll(async () => {
    const clients = [OWN, PARTNER, LIMITED, SERVICE, UNLISTED, ...LEAVING, scriptClient('deployer'), ...PAIRS];
    provider = await startProvider(pair, { clients });
    for (const client of clients) apps.set(client.client_id, await RelyingParty.discover(provider.issuer, client));
  });
  afterAll(() => provider.close());

  const appOf = (id: string): RelyingParty => apps.get(id) as RelyingParty;
  const keys = () => jose.createRemoteJWKSet(new URL(`${provider.issuer}/jwks`));
  const authorize = async (
    id: string,
    parameters: Record<string, string>,
    visitor = new Visitor(),
    member = MEMBER,
  ) => {
    const started = await appOf(id).start(parameters);
    return { started, visitor, back: await signIn(visitor, provider.issuer, started, member) };
  };
  const forItself = (id: string, parameters: Record<string, string>) =>
    openid.clientCredentialsGrant(appOf(id).config, parameters);

  test('get a signed access token of five minutes that names them, the member and what is allowed', async () => {
    const { started, back } = await authorize('own', { scope: 'openid records:read', resource: RECORDS });
    const { access_token } = await appOf('own').redeem(back.url, started, { resource: RECORDS });
    const { payload, protectedHeader } = await jose.jwtVerify(access_token, keys(), { audience: RECORDS });
    expect(protectedHeader).toMatchObject({ typ: 'at+jwt', alg: 'ES256' });
    expect(payload).toMatchObject({ iss: provider.issuer, client_id: 'own', scope: 'records:read' });
    expect(Number(payload.exp) - Number(payload.iat)).toBe(300);
    expect(payload.sub).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('are for a partner only with the consent of the member, in plain words', async () => {
    const request = { scope: 'openid records:read', resource: RECORDS };
    const { started, visitor, back } = await authorize('partner', request);
    expect(back.body).toContain('See your health records');
    expect(back.body).not.toContain('Order refills');
    const allowed = await visitor.submit(back, { decision: 'allow' }, provider.issuer);
    const { access_token } = await appOf('partner').redeem(allowed.url, started, { resource: RECORDS });
    expect(jose.decodeJwt(access_token).scope).toBe('records:read');
    // Remembered, also in the next session; more is asked for anew.
    expect((await authorize('partner', request)).back.url).toContain('code=');
    const more = await authorize('partner', { ...request, scope: 'openid records:read refills:write' });
    expect(more.back.body).toContain('Order refills');
    const other = await authorize('partner', request, new Visitor(), OTHER_MEMBER);
    expect(other.back.body).toContain('action="/interaction/');
  });

  test('are not opened beyond what the registration of the client lists, and not at addresses nobody knows', async () => {
    const { started, back } = await authorize('limited', {
      scope: 'openid records:read refills:write',
      resource: RECORDS,
    });
    const { access_token } = await appOf('limited').redeem(back.url, started, { resource: RECORDS });
    expect(jose.decodeJwt(access_token).scope).toBe('records:read');
    const unknown = await new Visitor().go(
      (await appOf('own').start({ resource: 'https://elsewhere.example/' })).url,
      provider.issuer,
    );
    expect(unknown.url).toContain('error=invalid_target');
  });

  test('take a client that acts for itself as far as its registration says', async () => {
    const { access_token } = await forItself('service', { resource: RECORDS, scope: 'records:read refills:write' });
    const { payload } = await jose.jwtVerify(access_token, keys(), { audience: RECORDS });
    expect(payload).toMatchObject({ client_id: 'service', sub: 'service', scope: 'records:read' });
    const none = await forItself('unlisted', { resource: RECORDS, scope: 'records:read' });
    expect(jose.decodeJwt(none.access_token).scope).toBeUndefined();
    await expect(openid.clientCredentialsGrant(appOf('own').config)).rejects.toMatchObject({
      error: 'invalid_request',
    });
  });

  test('ask about tokens: a client about its own, an API about all, nobody about what was revoked', async () => {
    const { started, back } = await authorize('own', {});
    const { access_token } = await appOf('own').redeem(back.url, started);
    const ask = (id: string) => openid.tokenIntrospection(appOf(id).config, access_token);
    expect(await ask('own')).toMatchObject({ active: true, client_id: 'own', scope: 'openid profile email' });
    expect(await ask('service')).toMatchObject({ active: true, client_id: 'own' });
    expect(await ask('limited')).toEqual({ active: false });
    await openid.tokenRevocation(appOf('limited').config, access_token).catch(() => undefined);
    expect(await ask('own')).toMatchObject({ active: true });
    await openid.tokenRevocation(appOf('own').config, access_token);
    expect(await ask('own')).toEqual({ active: false });
    expect(await ask('service')).toEqual({ active: false });
  });

  test.each([
    ['disabled', 'POST', '/clients/disabled/disable', {}],
    ['deleted', 'DELETE', '/clients/deleted', { 'if-match': '*' }],
  ])('hear that no token of a client that was %s is active (RFC 7662 2.2)', async (id, method, path, headers) => {
    const { started, back } = await authorize(id, {});
    const ofMember = (await appOf(id).redeem(back.url, started)).access_token;
    const ofItself = (await openid.clientCredentialsGrant(appOf(id).config)).access_token;
    const ask = (token: string) => openid.tokenIntrospection(appOf('service').config, token);
    for (const token of [ofMember, ofItself]) expect(await ask(token)).toMatchObject({ active: true, client_id: id });
    const script = await apiScript(provider, 'deployer');
    expect(Math.floor((await script.ask(method, path, undefined, headers)).status / 100)).toBe(2);
    for (const token of [ofMember, ofItself]) expect(await ask(token)).toEqual({ active: false });
  });

  test('and apps that must not compare members get another subject each, always the same', async () => {
    const subjectOf = async (id: string, member = MEMBER) => {
      const { started, back } = await authorize(id, { scope: 'openid' }, new Visitor(), member);
      const tokens = await appOf(id).redeem(back.url, started);
      const { sub } = await openid.fetchUserInfo(appOf(id).config, tokens.access_token, String(tokens.claims()?.sub));
      return sub;
    };
    const [one, again, two, other] = [
      await subjectOf('one'),
      await subjectOf('one'),
      await subjectOf('two'),
      await subjectOf('one', OTHER_MEMBER),
    ];
    expect(again).toBe(one);
    expect(new Set([one, two, other]).size).toBe(3);
  });
});
