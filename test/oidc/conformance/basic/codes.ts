import { expect, test } from '@jest/globals';
import { Visitor } from '../../../support/visitor.ts';
import { call, readTokens, readUserinfo } from '../answers.ts';
import type { Bench } from './plan.ts';

/** The code, the tokens that it gives, and UserInfo. */
export function codeModules(at: () => Bench): void {
  test('oidcc-server', async () => {
    const { shown, claims, header, tokens, info } = await at().app.signIn();
    expect(shown[0]).toBe('password');
    expect(header).toEqual({ alg: 'ES256', kid: expect.any(String) });
    expect(tokens).toMatchObject({ expires_in: 600, scope: 'openid' });
    expect(Object.keys(info)).toEqual(['sub']);
    expect(Number(claims.exp) - Number(claims.iat)).toBe(600);
  });

  test('oidcc-server-client-secret-post', async () => {
    const { posting } = at();
    expect(posting.client.token_endpoint_auth_method).toBe('client_secret_post');
    expect((await posting.signIn()).claims.aud).toBe('conformance-suite-post');
  });

  test('oidcc-userinfo-get', async () => {
    const { app } = at();
    const { tokens, claims } = await app.signIn();
    const headers = { authorization: `Bearer ${tokens.access_token}` };
    readUserinfo(await call(app.server.userinfo_endpoint, { method: 'GET', headers }), claims.sub);
    expect(await app.userinfo('no-such-token')).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
  });

  test('oidcc-userinfo-post-header', async () => {
    const { app } = at();
    const { tokens, claims } = await app.signIn();
    const headers = { authorization: `Bearer ${tokens.access_token}` };
    readUserinfo(await call(app.server.userinfo_endpoint, { method: 'POST', headers }), claims.sub);
  });

  test('oidcc-userinfo-post-body', async () => {
    const { app } = at();
    const { tokens, claims } = await app.signIn();
    const body = new URLSearchParams({ access_token: tokens.access_token });
    readUserinfo(await call(app.server.userinfo_endpoint, { method: 'POST', body }), claims.sub);
  });

  test('oidcc-codereuse', async () => {
    const { app } = at();
    const { code } = await app.signIn();
    expect(await app.redeem(code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test('oidcc-codereuse-30seconds', async () => {
    const { app, date } = at();
    const { code, tokens } = await app.signIn();
    date.advance(30);
    expect((await app.userinfo(tokens.access_token)).status).toBe(200);
    expect(await app.redeem(code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect(await app.userinfo(tokens.access_token)).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
  });

  test('oidcc-refresh-token', async () => {
    const { app, second, date } = at();
    expect(app.server.grant_types_supported).toContain('refresh_token');
    const first = await app.signIn();
    date.advance(2);
    const tokens = readTokens(await app.refresh(first.tokens.refresh_token));
    const { claims } = await app.verify(tokens.id_token, String(first.claims.nonce), tokens.access_token);
    expect(tokens.access_token).not.toBe(first.tokens.access_token);
    const { iss, sub, aud, auth_time } = first.claims;
    expect(claims).toMatchObject({ iss, sub, aud, auth_time });
    expect(Number(claims.iat)).toBe(Number(first.claims.iat) + 2);
    readUserinfo(await app.userinfo(tokens.access_token), sub);

    const others = await second.signIn(new Visitor());
    expect(await app.refresh(others.tokens.refresh_token)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
  });
}
