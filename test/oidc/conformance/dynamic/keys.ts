import { expect, test } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { z } from 'zod';
import { systemClock } from '../../../../src/adapters/systemClock.ts';
import { keyRingOf } from '../../../../src/parts.ts';
import { SECRETS } from '../../../support/provider.ts';
import { Visitor } from '../../../support/visitor.ts';
import { call, readTokens } from '../answers.ts';
import { type Bench, refusal } from './bench.ts';
import { makeClientKey } from './clients.ts';

/** What is signed: tokens by the provider, assertions by the client; and new keys on both sides. */
export function keyModules(at: () => Bench): void {
  test('oidcc-idtoken-rs256', async () => {
    const app = await at().clients.make({ id_token_signed_response_alg: 'RS256' });
    const { header } = await app.signIn();
    expect(header).toEqual({ alg: 'RS256', kid: expect.any(String) });
  });

  // The suite skips it where `none` is not offered; registration must then refuse it.
  test('oidcc-idtoken-unsigned', async () => {
    const { clients } = at();
    expect(clients.server.id_token_signing_alg_values_supported).not.toContain('none');
    const reply = await clients.ask({ id_token_signed_response_alg: 'none' });
    expect(reply).toMatchObject(refusal('invalid_client_metadata', 'id_token_signed_response_alg'));
  });

  test('oidcc-userinfo-rs256', async () => {
    const { clients } = at();
    expect(clients.server.userinfo_signing_alg_values_supported).toContain('RS256');
    const app = await clients.make({ userinfo_signed_response_alg: 'RS256' });
    const asked = app.request();
    const { code } = await app.obtainCode(new Visitor(), asked);
    const tokens = readTokens(await app.redeem(code));
    const { claims } = await app.verify(tokens.id_token, asked.parameters.nonce, tokens.access_token);
    const { status, headers, body } = await app.userinfo(tokens.access_token);
    expect([status, headers.get('content-type')]).toEqual([200, 'application/jwt; charset=utf-8']);
    const expected = { issuer: app.issuer, audience: app.client.client_id, algorithms: ['RS256'] };
    const { payload } = await jwtVerify(String(body), createRemoteJWKSet(new URL(app.server.jwks_uri)), expected);
    expect(payload.sub).toBe(claims.sub);
    expect(payload).not.toHaveProperty('nonce');
  });

  test('oidcc-refresh-token', async () => {
    const { clients, date } = at();
    const [app, other] = [await clients.make(), await clients.make()];
    const first = await app.signIn();
    date.advance(2);
    const tokens = readTokens(await app.refresh(first.tokens.refresh_token));
    const { claims } = await app.verify(tokens.id_token, String(first.claims.nonce), tokens.access_token);
    const { sub, auth_time } = first.claims;
    expect(claims).toMatchObject({ sub, auth_time, iat: Number(first.claims.iat) + 2 });
    expect(tokens.access_token).not.toBe(first.tokens.access_token);
    const { tokens: others } = await other.signIn();
    expect(await app.refresh(others.refresh_token)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test('oidcc-ensure-client-assertion-with-iss-aud-succeeds', async () => {
    const { clients, provider } = at();
    await (await clients.make({}, { audience: provider.issuer })).signIn();
  });

  test('oidcc-server-rotate-keys', async () => {
    const { clients, provider, date } = at();
    const published = z.object({ keys: z.array(z.looseObject({ kid: z.string() })) });
    const kids = async () =>
      published.parse((await call(clients.server.jwks_uri)).body).keys.map(({ kid }): unknown => kid);
    const app = await clients.make();

    const before = await kids();
    await keyRingOf(provider.config, SECRETS, provider.stores, systemClock).rotate();
    await provider.work();
    const after = await kids();
    expect(after).toEqual(expect.arrayContaining(before));
    expect(after).toHaveLength(before.length + 2);
    expect(before).toContain((await app.signIn()).header.kid);

    // By then no verifier has an older copy of the keys.
    date.advance(421);
    await provider.work();
    expect(before).not.toContain((await app.signIn()).header.kid);
  });

  test('oidcc-refresh-token-rp-key-rotation', async () => {
    const { clients, suite, date } = at();
    const [key, next] = [await makeClientKey('first'), await makeClientKey('next')];
    suite.answer(() => ({ body: { keys: [key.jwk] } }));
    const app = await clients.make({ jwks: undefined, jwks_uri: `${suite.origin}/jwks.json` }, { key });
    const { tokens } = await app.signIn(new Visitor(), { scope: 'openid offline_access', prompt: 'consent' });
    expect(tokens.refresh_token).toBeDefined();

    suite.answer(() => ({ body: { keys: [next.jwk] } }));
    date.advance(61);
    app.signWith(next);
    const refreshed = readTokens(await app.refresh(tokens.refresh_token));
    app.signWith(key);
    expect(await app.refresh(refreshed.refresh_token)).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    });
  });
}
