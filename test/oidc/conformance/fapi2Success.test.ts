import { expect } from '@jest/globals';
import { Visitor } from '../../support/visitor.ts';
import { type Change, type FapiParty, makeKey, thumbprint } from './fapiClient.ts';
import {
  authorizationUrl,
  authorize,
  codeOf,
  describeFapiModules,
  expectResource,
  expectTokens,
  push,
  random,
  redeem,
  refusal,
  signIn,
  succeed,
} from './fapiFlow.ts';

const now = (): number => Math.floor(Date.now() / 1000);

/** The whole flow, with these claims in the DPoP proof of each request. */
async function succeedWithProofs(party: FapiParty, claims: () => Record<string, number>): Promise<void> {
  const proof = (): Change => ({ proof: { claims: claims() } });
  const { pushed, code } = await authorize(party, {}, proof());
  await expectTokens(party, pushed, await redeem(party, pushed, code, proof()), proof());
}

/** FAPI 2.0 Security Profile Final, OpenID conformance suite: what a client does that must succeed. */
describeFapiModules({
  every: {
    async 'discovery-end-point-verification'({ one, variant }) {
      const answer = await fetch(`${one.issuer}/.well-known/openid-configuration`);
      expect(answer.status).toBe(200);
      const document = (await answer.json()) as Record<string, unknown>;
      expect(document).toMatchObject({
        issuer: one.issuer,
        authorization_endpoint: `${one.issuer}/auth`,
        token_endpoint: `${one.issuer}/token`,
        pushed_authorization_request_endpoint: `${one.issuer}/request`,
        jwks_uri: `${one.issuer}/jwks`,
        authorization_response_iss_parameter_supported: true,
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
        claims_parameter_supported: true,
        tls_client_certificate_bound_access_tokens: true,
        grant_types_supported: expect.arrayContaining(['authorization_code', 'refresh_token']),
        scopes_supported: expect.arrayContaining(['openid', 'email', 'offline_access']),
        token_endpoint_auth_methods_supported: expect.arrayContaining([variant.auth]),
        token_endpoint_auth_signing_alg_values_supported: expect.arrayContaining(['ES256', 'PS256', 'EdDSA']),
        id_token_signing_alg_values_supported: expect.arrayContaining(['ES256']),
        userinfo_signing_alg_values_supported: expect.arrayContaining(['ES256']),
        dpop_signing_alg_values_supported: ['ES256', 'PS256', 'EdDSA'],
      });
    },

    async 'happy-flow'({ one, two, variant }) {
      const accept = { headers: [['accept', 'application/json;q=0.2, text/x-odd;q=0.9, */*;q=0.1']] } as const;
      const first = await authorize(one, {}, accept);
      const tokens = await expectTokens(one, first.pushed, await redeem(one, first.pushed, first.code, accept), accept);
      expect(tokens.claims.email).toBe('sample.member@example.com');
      const inQuery = await one.resource('', { query: `?access_token=${tokens.accessToken}`, proof: 'none' });
      expect(refusal(inQuery)).toEqual([400, 'invalid_request']);

      const dpop_jkt = variant.binding === 'DPoP' ? await thumbprint(two.client.dpopKey) : undefined;
      const { accessToken } = await succeed(two, { state: random(128), nonce: random(43), dpop_jkt });
      expect(refusal(await one.resource(accessToken))).toEqual([401, 'invalid_token']);
    },

    async 'ensure-authorization-request-without-state-success'({ one }) {
      await succeed(one, { state: undefined });
    },

    async 'ensure-authorization-request-without-nonce-success'({ one }) {
      const { idToken } = await succeed(one, { nonce: undefined });
      expect(idToken).not.toHaveProperty('nonce');
    },

    async 'ensure-authorization-request-with-64-char-nonce-success'({ one }) {
      await succeed(one, { nonce: random(64) });
    },

    async 'ensure-other-scope-order-succeeds'({ one }) {
      const { claims } = await succeed(one, { scope: 'email openid' });
      expect(claims).toHaveProperty('email');
    },

    async 'test-claims-parameter-identity-claims'({ one }) {
      const answer = await fetch(`${one.issuer}/.well-known/openid-configuration`);
      const { claims_supported } = (await answer.json()) as { claims_supported: string[] };
      const about = claims_supported.filter((name) => !['sub', 'iss', 'sid', 'acr', 'amr', 'auth_time'].includes(name));
      const forms = [null, { essential: true }, { value: 'another' }, { values: ['this', 'that'] }];
      const wishes = Object.fromEntries([...about, 'unheard_of'].map((name, i) => [name, forms[i % 4]]));
      const { pushed, code } = await authorize(one, {
        scope: 'openid',
        claims: JSON.stringify({ userinfo: wishes, id_token: wishes }),
      });
      const { idToken, claims } = await expectTokens(one, pushed, await redeem(one, pushed, code));
      for (const given of [idToken, claims]) {
        expect(Object.keys(given)).toEqual(expect.arrayContaining(about));
        expect(given).not.toHaveProperty('unheard_of');
        expect(given).toMatchObject({ email: 'sample.member@example.com', address: { postal_code: '97201' } });
      }
    },

    async 'access-token-type-header-case-sensitivity'({ one, variant }) {
      const { accessToken } = await succeed(one);
      await expectResource(one, accessToken, { scheme: variant.binding === 'DPoP' ? 'dPOP' : 'bEARER' });
    },

    async 'ensure-authorization-request-with-long-nonce'({ one }) {
      await succeed(one, { nonce: random(384) });
    },

    async 'ensure-authorization-request-with-long-state'({ one }) {
      await succeed(one, { state: random(1000) });
    },

    async 'refresh-token'({ one, two, variant, advance }) {
      const scope = 'openid email offline_access';
      const withConsent = async (party: FapiParty) => {
        const pushed = await push(party, { scope, prompt: 'consent' });
        const visitor = new Visitor();
        const page = await signIn(party, authorizationUrl(party, pushed), visitor);
        const back = await visitor.submit(page, { decision: 'allow' }, party.issuer);
        return expectTokens(party, pushed, await redeem(party, pushed, codeOf(party, pushed, back)));
      };
      const refresh = (party: FapiParty, refresh_token: string, change: Change = {}) =>
        party.token({ grant_type: 'refresh_token', refresh_token, scope }, change);

      const first = await withConsent(one);
      const bound: Change = variant.binding === 'DPoP' ? { proof: { key: await makeKey('ES256') } } : {};
      const reply = await refresh(one, first.refreshToken, bound);
      expect(reply).toMatchObject({ status: 200, body: { scope, refresh_token: first.refreshToken } });
      expect(reply.body.token_type).toBe(variant.binding === 'DPoP' ? 'DPoP' : 'Bearer');
      expect(reply.body.access_token).not.toBe(first.accessToken);
      const { sub } = await expectResource(one, String(reply.body.access_token), bound);
      expect(sub).toBe(first.idToken.sub);
      // It is not rotated (FAPI 2.0 5.3.2.1), so that a lost answer does no harm.
      advance(30);
      expect((await refresh(one, first.refreshToken)).status).toBe(200);

      const unproven = await refresh(one, first.refreshToken, { proof: 'none', certificate: 'none' });
      const isCertificateAuth = variant.auth !== 'private_key_jwt';
      expect(refusal(unproven)).toEqual(isCertificateAuth ? [401, 'invalid_client'] : [400, 'invalid_grant']);
      if (variant.binding === 'DPoP') {
        expect(refusal(await refresh(one, first.refreshToken, { proof: 'none' }))).toEqual([400, 'invalid_grant']);
      }
      const second = await withConsent(two);
      expect((await refresh(two, second.refreshToken)).status).toBe(200);
      expect(refusal(await one.resource(second.accessToken))).toEqual([401, 'invalid_token']);
      expect(refusal(await refresh(one, second.refreshToken))).toEqual([400, 'invalid_grant']);
    },

    async 'par-ensure-reused-request-uri-prior-to-auth-completion-succeeds'({ one }) {
      const pushed = await push(one);
      const url = authorizationUrl(one, pushed);
      const visitor = new Visitor();
      expect((await visitor.go(url, one.issuer)).body).toContain('id="password"');
      const code = codeOf(one, pushed, await signIn(one, url, visitor));
      await expectTokens(one, pushed, await redeem(one, pushed, code));
    },

    async 'par-without-duplicate-parameters'({ one }) {
      const pushed = await push(one);
      const url = authorizationUrl(one, pushed, { scope: undefined, response_type: undefined });
      expect([...new URL(url).searchParams.keys()]).toEqual(['client_id', 'request_uri']);
      await expectTokens(one, pushed, await redeem(one, pushed, codeOf(one, pushed, await signIn(one, url))));
    },
  },

  dpop: {
    async 'check-dpop-proof-nbf-exp'({ one }) {
      await succeedWithProofs(one, () => ({ nbf: now(), exp: now() + 300 }));
    },

    async 'ensure-dpopproof-with-iat-10seconds-before-succeeds'({ one }) {
      await succeedWithProofs(one, () => ({ iat: now() - 10 }));
    },

    // The suite sends 8 seconds here.
    async 'ensure-dpopproof-with-iat-10seconds-after-succeeds'({ one }) {
      for (const ahead of [8, 10]) await succeedWithProofs(one, () => ({ iat: now() + ahead }));
    },

    async 'ensure-dpopproof-at-par-endpoint-binding-success'({ one }) {
      await succeed(one, {}, { proof: {} });
    },

    async 'ensure-dpop-auth-code-binding-success'({ one }) {
      await succeed(one, { dpop_jkt: await thumbprint(one.client.dpopKey) });
    },
  },
});
