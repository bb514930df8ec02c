import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { UnsecuredJWT } from 'jose';
import { MEMBER } from '../../../support/provider.ts';
import { Visitor } from '../../../support/visitor.ts';
import { walk } from '../answers.ts';
import type { Bench } from './plan.ts';

/** What an authorization request may, and may not, look like. */
export function requestModules(at: () => Bench): void {
  test('oidcc-response-type-missing', async () => {
    const { app } = at();
    const asked = app.request({ response_type: undefined });
    expect(await app.obtainError(new Visitor(), asked)).toBe('invalid_request');
  });

  test.each([
    ['oidcc-display-page', { display: 'page' }],
    ['oidcc-display-popup', { display: 'popup' }],
    ['oidcc-ensure-request-with-unknown-parameter-succeeds', { extra: 'foobar' }],
    ['oidcc-claims-locales', { claims_locales: 'se' }],
  ])('%s', async (_, parameters) => {
    const { shown, claims } = await at().app.signIn(new Visitor(), parameters);
    expect(shown[0]).toBe('password');
    expect(claims.sub).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('oidcc-login-hint', async () => {
    const { app } = at();
    const parameters = { login_hint: MEMBER.username };
    const page = await new Visitor().go(app.request(parameters).url, app.issuer);
    expect(page.body).toMatch(/<input id="username"[^>]* value="sample\.member"/);
    expect((await app.signIn(new Visitor(), parameters)).info.sub).toBeDefined();
  });

  test('oidcc-ui-locales', async () => {
    const { app } = at();
    for (const [asked, shown] of [
      ['se', 'en'],
      ['se es', 'es'],
    ] as const) {
      const page = await new Visitor().go(app.request({ ui_locales: asked }).url, app.issuer);
      expect(page.body).toContain(`<html lang="${shown}"`);
      expect((await app.signIn(new Visitor(), { ui_locales: asked })).shown[0]).toBe('password');
    }
  });

  test('oidcc-ensure-registered-redirect-uri', async () => {
    const { app } = at();
    const elsewhere = `${app.client.redirect_uris[0]}/${randomBytes(8).toString('hex')}`;
    const { shown, end } = await walk(new Visitor(), app.issuer, app.request({ redirect_uri: elsewhere }).url);
    expect([shown, end.status, end.headers.get('location')]).toEqual([[], 400, null]);
    expect(end.body).toContain('The app made a mistake');
    expect(end.body).not.toContain(elsewhere);
  });

  test('oidcc-ensure-post-request-succeeds', async () => {
    const { app } = at();
    const asked = app.request();
    const visitor = new Visitor();
    // The browser sends it from a page of the app.
    const posted = await visitor.fetch(app.server.authorization_endpoint, {
      method: 'POST',
      headers: { origin: 'https://suite.example', 'sec-fetch-site': 'cross-site' },
      body: new URL(asked.url).searchParams,
    });
    expect(posted.status).toBe(303);
    const url = new URL(String(posted.headers.get('location')), app.issuer).href;
    const { code } = await app.obtainCode(visitor, { ...asked, url });
    expect((await app.redeem(code)).status).toBe(200);
  });

  test('oidcc-ensure-request-with-valid-pkce-succeeds', async () => {
    const { app } = at();
    const code_verifier = randomBytes(32).toString('base64url');
    const code_challenge = createHash('sha256').update(code_verifier).digest('base64url');
    const challenge = { code_challenge, code_challenge_method: 'S256' };
    const { claims } = await app.signIn(new Visitor(), challenge, { code_verifier });
    expect(claims.sub).toBeDefined();
    // Whoever sends a challenge is held to it, also a client that need not send one.
    const { code } = await app.obtainCode(new Visitor(), app.request(challenge));
    expect(await app.redeem(code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  // The suite skips the next three where `none` is not offered; an unsigned request object must then be refused.
  test('oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported', async () => {
    const { app } = at();
    expect(app.server.request_object_signing_alg_values_supported).not.toContain('none');
    const asked = app.request();
    const request = unsigned(asked.parameters);
    const url = app.request({ ...asked.parameters, request }).url;
    expect(await app.obtainError(new Visitor(), { ...asked, url })).toBe('invalid_request_object');
  });

  test('oidcc-ensure-request-object-with-redirect-uri', async () => {
    const { app } = at();
    expect(app.server.request_object_signing_alg_values_supported).not.toContain('none');
    const asked = app.request();
    const elsewhere = 'https://suite.example/elsewhere';
    const request = unsigned(asked.parameters);
    const { url } = app.request({ ...asked.parameters, request, redirect_uri: elsewhere });
    const { shown, end } = await walk(new Visitor(), app.issuer, url);
    expect([shown, end.status, end.headers.get('location')]).toEqual([[], 400, null]);
    expect(end.body).toContain('The app made a mistake');
  });

  test('oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported', async () => {
    const { app } = at();
    expect(app.server.request_object_signing_alg_values_supported).not.toContain('none');
    const asked = app.request({ request_uri: 'https://suite.example/request.jwt' });
    expect(await app.obtainError(new Visitor(), asked)).toBe('request_uri_not_supported');
  });
}

/** The parameters as a request object that nobody signed (OpenID Connect Core 6.1). */
const unsigned = (parameters: object): string => new UnsecuredJWT({ ...parameters }).encode();
