import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as jose from 'jose';
import { ACR } from '../../src/core/journey/assurance.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { MEMBER, OTHER_MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, type Started, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import type { Answer } from '../support/visitor.ts';

const APP = webClient();
const PAIRWISE = webClient({ client_id: 'pairwise', subject_type: 'pairwise' });
const BY_DEFAULT = webClient({ client_id: 'by-default', default_acr_values: [ACR.aal1] });

describeOnEveryStore('an authorization request', (pair) => {
  let provider: RunningProvider;
  let signingKey: jose.CryptoKey;
  const apps = new Map<string, RelyingParty>();
  beforeAll(async () => {
    const { privateKey, publicKey } = await jose.generateKeyPair('ES256');
    signingKey = privateKey;
    const signing = webClient({
      ...{ client_id: 'signing', require_signed_request_object: true, request_object_signing_alg: 'ES256' },
      jwks: { keys: [{ ...(await jose.exportJWK(publicKey)), kid: 'signs', use: 'sig', alg: 'ES256' }] },
    });
    const clients = [APP, PAIRWISE, BY_DEFAULT, signing];
    provider = await startProvider(pair, { clients });
    for (const client of clients) apps.set(client.client_id, await RelyingParty.discover(provider.issuer, client));
  });
  afterAll(() => provider.close());

  const appOf = (id: string): RelyingParty => apps.get(id) as RelyingParty;
  const open = async (id: string, parameters: Record<string, string>, visitor = new Visitor()) => {
    const started = await appOf(id).start(parameters);
    return { started, visitor, page: await visitor.go(started.url, provider.issuer) };
  };
  /** A browser in which the member has a session. */
  const signedIn = async (member = MEMBER) => {
    const visitor = new Visitor();
    await signIn(visitor, provider.issuer, await appOf(APP.client_id).start(), member);
    return visitor;
  };
  const errorOf = ({ url }: Answer) => new URL(url).searchParams.get('error');
  const idTokenClaims = async (id: string, back: Answer, started: Started) =>
    (await appOf(id).redeem(back.url, started)).claims();
  const asking = (claims: unknown) => ({ claims: JSON.stringify(claims) });
  const demanding = (acr: object) => asking({ id_token: { acr: { essential: true, ...acr } } });

  test.each([
    ['acr_values', APP.client_id, { acr_values: ACR.aal1 }],
    ['registered default_acr_values', BY_DEFAULT.client_id, {}],
  ])('with an essential acr is held to it beside %s', async (_, id, more) => {
    const unknown = await open(id, { ...more, ...demanding({ values: ['urn:example:iris-scan'] }) });
    expect(errorOf(unknown.page)).toBe('unmet_authentication_requirements');
    const { visitor, page } = await open(id, { ...more, ...demanding({ value: ACR.aal2 }) });
    // A password alone does not bring the member back to the app.
    const next = await visitor.submit(page, MEMBER, provider.issuer);
    expect(next.url).toMatch(/\/interaction\/[\w-]+$/);
    const silent = await open(id, { ...more, ...demanding({ values: [ACR.aal2] }), prompt: 'none' }, await signedIn());
    expect(errorOf(silent.page)).toBe('login_required');
  });

  const subjectOf = async (id: string, member = MEMBER) => {
    const { visitor, started, page } = await open(id, {});
    return String((await idTokenClaims(id, await visitor.submit(page, member, provider.issuer), started))?.sub);
  };

  test.each([APP.client_id, PAIRWISE.client_id])(
    'that names a member by the sub claim is for that one only, as the app %s knows them',
    async (id) => {
      const named = async (value: unknown) => {
        const { started, visitor, page } = await open(id, asking({ id_token: { sub: { value } } }));
        return { started, back: await visitor.submit(page, MEMBER, provider.issuer) };
      };
      for (const value of [await subjectOf(id, OTHER_MEMBER), 'nobody', null]) {
        expect(errorOf((await named(value)).back)).toBe('login_required');
      }
      const sub = await subjectOf(id);
      const { started, back } = await named(sub);
      expect(await idTokenClaims(id, back, started)).toMatchObject({ sub });
    },
  );

  test('that names a member by the sub claim keeps to it after the member chose to use another account', async () => {
    const sub = await subjectOf(APP.client_id);
    const parameters = { ...asking({ id_token: { sub: { value: sub } } }), prompt: 'select_account' };
    const { visitor, page } = await open(APP.client_id, parameters, await signedIn());
    const again = await visitor.go(`${page.url}/switch`, provider.issuer);
    expect(errorOf(await visitor.submit(again, OTHER_MEMBER, provider.issuer))).toBe('login_required');
  });

  test('that is signed begins anew for another member, and stays as it was signed', async () => {
    const id = 'signing';
    const { url, ...started } = await appOf(id).start({ scope: 'openid email', prompt: 'select_account' });
    const { client_id, ...signed } = Object.fromEntries(new URL(url).searchParams);
    const request = await new jose.SignJWT({ ...signed, client_id })
      .setProtectedHeader({ alg: 'ES256', kid: 'signs' })
      .setIssuer(id)
      .setAudience(provider.issuer)
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(signingKey);
    const visitor = await signedIn();
    const query = new URLSearchParams({ client_id: id, response_type: 'code', scope: 'openid', request });
    const page = await visitor.go(`${provider.issuer}/auth?${query}`, provider.issuer);
    expect(page.url).toMatch(/\/interaction\/[\w-]+$/);
    const again = await visitor.go(`${page.url}/switch`, provider.issuer);
    expect(again.body).toContain('id="password"');
    // And once more: the request that was pushed for it begins anew as well.
    const third = await visitor.go(`${again.url}/switch`, provider.issuer);
    const back = await visitor.submit(third, OTHER_MEMBER, provider.issuer);
    expect(new URL(back.url).searchParams.get('state')).toBe(started.state);
    const tokens = await appOf(id).redeem(back.url, { url, ...started });
    expect(tokens.scope).toBe('openid email');
  });

  const MALFORMED = [
    { id_token: { acr: { essential: true, values: 'x' } } },
    { id_token: { acr: { values: { 0: 'x' } } } },
    { id_token: { sub: 'x' } },
    { id_token: { sub: ['x'] } },
    { userinfo: { email: true } },
    { userinfo: { email: { values: null } } },
  ];

  test.each(MALFORMED)('with the malformed claims %j is the mistake of the app', async (claims) => {
    expect(errorOf((await open(APP.client_id, asking(claims))).page)).toBe('invalid_request');
    const { search } = new URL((await appOf(APP.client_id).start(asking(claims))).url);
    const headers = { authorization: `Basic ${btoa(`${APP.client_id}:${APP.client_secret.replaceAll(' ', '+')}`)}` };
    const body = new URLSearchParams(search);
    const pushed = await fetch(`${provider.issuer}/request`, { method: 'POST', headers, body });
    expect([pushed.status, await pushed.json()]).toMatchObject([400, { error: 'invalid_request' }]);
  });

  test('may ask for claims in each of the forms that there are', async () => {
    const forms = { email: null, name: { essential: true }, locale: { value: 'en' }, unheard: { values: ['of'] } };
    const { visitor, page } = await open(APP.client_id, asking({ id_token: forms, userinfo: forms }));
    const back = await visitor.submit(page, MEMBER, provider.issuer);
    expect(new URL(back.url).searchParams.get('code')).toBeTruthy();
  });
});
