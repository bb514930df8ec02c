import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { OTHER_MEMBER, type RunningProvider, startProvider } from '../../support/provider.ts';
import { STORE_PAIRS } from '../../support/stores.ts';
import { type Answer, Visitor } from '../../support/visitor.ts';
import { type RelyingParty, relyingParty, suiteClient } from './suite.ts';

const GOODBYE = 'https://suite.example/post_logout_redirect';
const CLIENT = suiteClient({ post_logout_redirect_uris: [GOODBYE] });
const PAIRWISE = suiteClient({ client_id: 'pairwise', subject_type: 'pairwise', first_party: true });

describe('oidcc-rp-initiated-logout-certification-test-plan', () => {
  let provider: RunningProvider;
  let party: RelyingParty;
  beforeAll(async () => {
    provider = await startProvider(STORE_PAIRS[0], { clients: [CLIENT] });
    party = await relyingParty(provider.issuer, CLIENT);
  });
  afterAll(() => provider.close());

  /** A member has signed in. */
  const signedIn = async () => {
    const visitor = new Visitor();
    const { tokens } = await party.signIn(visitor);
    return { visitor, hint: tokens.id_token, state: randomBytes(96).toString('base64url') };
  };

  const endSession = (visitor: Visitor, parameters: Record<string, string>): Promise<Answer> =>
    visitor.go(`${party.server.end_session_endpoint}?${new URLSearchParams(parameters)}`, provider.issuer);

  /** The same, and the member says yes. Returns where that ends. */
  const leave = async (visitor: Visitor, parameters: Record<string, string>): Promise<Answer> => {
    const page = await endSession(visitor, parameters);
    expect([page.status, page.body]).toEqual([200, expect.stringContaining('action="/session/end/confirm"')]);
    return visitor.submit(page, { logout: 'yes' }, provider.issuer);
  };

  const expectSignedOut = async (visitor: Visitor) =>
    expect(await party.obtainError(visitor, party.request({ prompt: 'none' }))).toBe('login_required');

  /** Our own page, and no way on to where the request wanted. */
  const expectSignedOutPage = (end: Answer) => {
    expect([end.status, end.url]).toEqual([200, expect.stringMatching(`^${provider.issuer}/session/end/success`)]);
    expect(end.body).toContain('You are signed out');
    expect(end.body).not.toContain(GOODBYE);
  };

  /**
   * What is wrong with the request does not concern the member, who may want to leave all the same: our page asks them, as
   * if the app had sent nothing, and leads nowhere else.
   */
  const expectNoWayOut = async (visitor: Visitor, parameters: Record<string, string>) => {
    const page = await endSession(visitor, parameters);
    expect([page.status, page.url]).toEqual([200, `${provider.issuer}/session/end`]);
    expect(page.body).toContain('Sign out?');
    expect(page.body).not.toContain('data-submits-itself');
    await party.obtainCode(visitor, party.request({ prompt: 'none' }));
    const again = await endSession(visitor, parameters);
    expectSignedOutPage(await visitor.submit(again, { logout: 'yes' }, provider.issuer));
  };

  test('oidcc-rp-initiated-logout-discovery-endpoint-verification', () => {
    // The endpoint is as much https as the issuer, which is plain http on this machine only.
    expect(party.server.end_session_endpoint).toBe(`${provider.issuer}/session/end`);
  });

  test('oidcc-rp-initiated-logout', async () => {
    const { visitor, hint, state } = await signedIn();
    const end = await leave(visitor, { id_token_hint: hint, post_logout_redirect_uri: GOODBYE, state });
    expect(end.url).toBe(`${GOODBYE}?${new URLSearchParams({ state })}`);
    await expectSignedOut(visitor);
  });

  test('oidcc-rp-initiated-logout-bad-post-logout-redirect-uri', async () => {
    const { visitor, hint, state } = await signedIn();
    const elsewhere = 'https://suite.example/not_registered';
    await expectNoWayOut(visitor, { id_token_hint: hint, post_logout_redirect_uri: elsewhere, state });
  });

  test('oidcc-rp-initiated-logout-modified-id-token-hint', async () => {
    const { visitor, hint, state } = await signedIn();
    const id_token_hint = new UnsecuredJWT(decodeJwt(hint)).encode();
    await expectNoWayOut(visitor, { id_token_hint, post_logout_redirect_uri: GOODBYE, state });
  });

  test('oidcc-rp-initiated-logout-bad-id-token-hint', async () => {
    const { visitor, hint, state } = await signedIn();
    const { privateKey } = await generateKeyPair('ES256');
    const { kid = '' } = decodeProtectedHeader(hint);
    const id_token_hint = await new SignJWT(decodeJwt(hint)).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey);
    await expectNoWayOut(visitor, { id_token_hint, post_logout_redirect_uri: GOODBYE, state });
  });

  test('oidcc-rp-initiated-logout-no-id-token-hint', async () => {
    const { visitor, state } = await signedIn();
    expectSignedOutPage(await leave(visitor, { post_logout_redirect_uri: GOODBYE, state }));
    await expectSignedOut(visitor);
  });

  test('oidcc-rp-initiated-logout-no-params', async () => {
    const { visitor } = await signedIn();
    expectSignedOutPage(await leave(visitor, {}));
    await expectSignedOut(visitor);
  });

  test('oidcc-rp-initiated-logout-no-post-logout-redirect-uri', async () => {
    const { visitor, hint, state } = await signedIn();
    expectSignedOutPage(await leave(visitor, { id_token_hint: hint, state }));
    await expectSignedOut(visitor);
  });

  test('oidcc-rp-initiated-logout-no-state', async () => {
    const { visitor, hint } = await signedIn();
    const end = await leave(visitor, { id_token_hint: hint, post_logout_redirect_uri: GOODBYE });
    expect(end.url).toBe(GOODBYE);
    await expectSignedOut(visitor);
  });

  test('oidcc-rp-initiated-logout-only-state', async () => {
    const { visitor, state } = await signedIn();
    expectSignedOutPage(await leave(visitor, { state }));
    await expectSignedOut(visitor);
  });

  test('oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri', async () => {
    const { visitor, hint, state } = await signedIn();
    await expectNoWayOut(visitor, { id_token_hint: hint, post_logout_redirect_uri: `${GOODBYE}?foo=bar`, state });
  });
});

describe('an ID token of an app with pairwise subjects, as a hint', () => {
  let provider: RunningProvider;
  let party: RelyingParty;
  beforeAll(async () => {
    provider = await startProvider(STORE_PAIRS[0], { clients: [PAIRWISE] });
    party = await relyingParty(provider.issuer, PAIRWISE);
  });
  afterAll(() => provider.close());

  test('signs its member out without a question', async () => {
    const visitor = new Visitor();
    const { tokens } = await party.signIn(visitor);
    const leave = `${provider.issuer}/session/end?${new URLSearchParams({ id_token_hint: tokens.id_token })}`;
    expect((await visitor.go(leave, provider.issuer)).body).toContain('data-submits-itself');
  });

  test('lets its member sign in, and nobody else', async () => {
    const { tokens, claims } = await party.signIn();
    const asked = party.request({ id_token_hint: tokens.id_token });
    const other = new Visitor();
    const page = await other.submit(await other.go(asked.url, provider.issuer), OTHER_MEMBER, provider.issuer);
    expect(new URL(page.url).searchParams.get('error')).toBe('login_required');
    expect((await party.signIn(new Visitor(), { id_token_hint: tokens.id_token })).claims.sub).toBe(claims.sub);
  });
});
