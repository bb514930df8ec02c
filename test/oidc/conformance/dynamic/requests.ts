import { expect, test } from '@jest/globals';
import { SignJWT, UnsecuredJWT } from 'jose';
import { Visitor } from '../../../support/visitor.ts';
import { readTokens, walk } from '../answers.ts';
import { type Bench, CALLBACK, refusal } from './bench.ts';
import { makeClientKey } from './clients.ts';

/** How requests may come, and where the answer goes. */
export function requestModules(at: () => Bench): void {
  /** The member stands on a page that says what is wrong, and the app hears nothing. */
  const expectStopped = async (url: string) => {
    const { shown, end } = await walk(new Visitor(), at().provider.issuer, url);
    expect([shown, end.status, end.url]).toEqual([[], 400, url]);
    expect(end.headers.get('content-type')).toBe('text/html; charset=utf-8');
  };

  test('oidcc-ensure-redirect-uri-in-authorization-request', async () => {
    const app = await at().clients.make();
    await expectStopped(app.request({ redirect_uri: undefined }).url);
  });

  test('oidcc-redirect-uri-query-OK', async () => {
    const redirect_uri = `${CALLBACK}?foo=bar`;
    const app = await at().clients.make({ redirect_uris: [redirect_uri] });
    const asked = app.request();
    const { end } = await walk(new Visitor(), app.issuer, asked.url);
    const { code, ...others } = Object.fromEntries(new URL(end.url).searchParams);
    expect(end.url.startsWith(`${redirect_uri}&`)).toBe(true);
    expect(others).toEqual({ foo: 'bar', state: asked.parameters.state, iss: app.issuer });
    readTokens(await app.redeem(String(code)));
  });

  test('oidcc-redirect-uri-query-mismatch', async () => {
    const app = await at().clients.make({ redirect_uris: [`${CALLBACK}?foo=bar`] });
    await expectStopped(app.request({ redirect_uri: `${CALLBACK}?foo=baz` }).url);
  });

  test('oidcc-redirect-uri-query-added', async () => {
    const app = await at().clients.make();
    await expectStopped(app.request({ redirect_uri: `${CALLBACK}?foo=bar` }).url);
  });

  test('oidcc-redirect-uri-regfrag', async () => {
    const reply = await at().clients.ask({ redirect_uris: [`${CALLBACK}#foobar`] });
    expect(reply).toMatchObject(refusal('invalid_redirect_uri', 'fragment'));
  });

  /**
   * oidc-provider 9 fetches no request objects (RFC 9101 5.2.3): discovery says so, and such a request is rejected as
   * unsupported. That is all that the Basic plan wants; these two modules of the suite itself want the document fetched.
   */
  const expectNoRequestUri = async (metadata: object, requestObject: string) => {
    const { clients, suite } = at();
    const request_uri = `${suite.origin}/request.jwt`;
    const app = await clients.make({ ...metadata, request_uris: [request_uri] });
    expect(app.server.request_uri_parameter_supported).toBe(false);
    expect(app.registered).not.toHaveProperty('request_uris');
    suite.answer(() => ({ headers: { 'content-type': 'application/oauth-authz-req+jwt' }, body: requestObject }));
    const before = suite.heard.length;
    expect(await app.obtainError(new Visitor(), app.request({ request_uri }))).toBe('request_uri_not_supported');
    expect(suite.heard).toHaveLength(before);
  };

  test('oidcc-request-uri-unsigned', async () => {
    await expectNoRequestUri({}, new UnsecuredJWT({ scope: 'openid' }).encode());
  });

  test('oidcc-request-uri-signed-rs256', async () => {
    const { clients } = at();
    expect(clients.server.request_object_signing_alg_values_supported).toContain('RS256');
    const key = await makeClientKey('suite');
    const signed = new SignJWT({ scope: 'openid' }).setProtectedHeader({ alg: 'RS256', kid: key.kid });
    const metadata = { request_object_signing_alg: 'RS256', jwks: { keys: [key.jwk] } };
    await expectNoRequestUri(metadata, await signed.sign(key.privateKey));
  });

  // The suite skips it where request objects must be signed. An unsigned one is refused; of a signed one the address counts.
  test('oidcc-ensure-request-object-with-redirect-uri', async () => {
    const { clients } = at();
    expect(clients.server.request_object_signing_alg_values_supported).not.toContain('none');
    const key = await makeClientKey('suite');
    const redirect_uris = [CALLBACK, 'https://suite.example/other'];
    const app = await clients.make({ redirect_uris, jwks: { keys: [key.jwk] } }, { key });
    const { state, nonce, ...asked } = app.request().parameters;
    const claims = { ...asked, iss: app.client.client_id, aud: app.issuer, redirect_uri: CALLBACK };
    const request = (object: string) =>
      app.request({ redirect_uri: redirect_uris[1], request: object, state: undefined, nonce: undefined });

    const unsigned = await walk(new Visitor(), app.issuer, request(new UnsecuredJWT(claims).encode()).url);
    expect([unsigned.shown, new URL(unsigned.end.url).searchParams.get('error')]).toEqual([
      [],
      'invalid_request_object',
    ]);

    const signed = await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: key.kid }).sign(key.privateKey);
    const { code } = await app.obtainCode(new Visitor(), request(signed));
    readTokens(await app.redeem(code));
  });
}
