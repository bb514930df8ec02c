import { expect } from '@jest/globals';
import * as jose from 'jose';
import { type Change, type FapiParty, makeKey, type SigningKey, thumbprint } from './fapiClient.ts';
import {
  authorizationRequest,
  authorize,
  describeFapiModules,
  expectTokens,
  push,
  redeem,
  refusal,
  refusalOfPush,
} from './fapiFlow.ts';

const now = (): number => Math.floor(Date.now() / 1000);
const CLIENT_REFUSED = [401, 'invalid_client'];
const GRANT_REFUSED = [400, 'invalid_grant'];

/** Tries to redeem a fresh code with one thing changed; afterwards the code must still be good for the honest client. */
async function refusalOfRedeeming(party: FapiParty, change: Change, by = party) {
  const { pushed, code } = await authorize(party);
  const refused = refusal(await redeem(by, pushed, code, change));
  await expectTokens(party, pushed, await redeem(party, pushed, code));
  return refused;
}

/** Pushes with one thing changed in the client assertion. */
const refusalOfAssertion = (party: FapiParty, assertion: Readonly<Record<string, unknown>>) =>
  refusalOfPush(party, {}, { assertion });

/** The RSA key of a client as one that signs with PKCS #1 v1.5, which the profile forbids (5.4). */
async function asRs256(key: SigningKey): Promise<SigningKey> {
  const imported = await jose.importJWK(await jose.exportJWK(key.privateKey), 'RS256');
  return { ...key, alg: 'RS256', privateKey: imported as jose.CryptoKey };
}

/** FAPI 2.0 Security Profile Final, OpenID conformance suite: codes, keys and assertions at the token endpoint. */
describeFapiModules({
  every: {
    async 'ensure-client-id-in-token-endpoint'({ one, two }) {
      const { id } = two.client;
      const change = { assertion: { iss: id, sub: id }, parameters: { client_id: id } };
      expect(await refusalOfRedeeming(one, change)).toEqual(CLIENT_REFUSED);
    },

    async 'ensure-holder-of-key-required'({ one, two, variant }) {
      const bare: Change = variant.binding === 'DPoP' ? { proof: 'none' } : { certificate: 'none' };
      const byCertificateAlone = variant.auth !== 'private_key_jwt' && variant.binding === 'mTLS';
      expect(await refusalOfRedeeming(one, bare)).toEqual(byCertificateAlone ? CLIENT_REFUSED : GRANT_REFUSED);
      if (variant.binding === 'DPoP') return;
      const { pushed, code } = await authorize(one);
      const { accessToken } = await expectTokens(one, pushed, await redeem(one, pushed, code));
      for (const certificate of ['none', two.client.certified] as const) {
        expect(refusal(await one.resource(accessToken, { certificate }))).toEqual([401, 'invalid_token']);
      }
    },

    async 'ensure-authorization-code-is-bound-to-client'({ one, two }) {
      expect(await refusalOfRedeeming(one, {}, two)).toEqual(GRANT_REFUSED);
    },

    async 'attempt-reuse-authorization-code-after-one-second'({ one, advance }) {
      const { pushed, code } = await authorize(one);
      const { accessToken, refreshToken } = await expectTokens(one, pushed, await redeem(one, pushed, code));
      advance(1);
      expect(refusal(await redeem(one, pushed, code))).toEqual(GRANT_REFUSED);
      expect(refusal(await one.resource(accessToken))).toEqual([401, 'invalid_token']);
      const refreshed = await one.token({ grant_type: 'refresh_token', refresh_token: refreshToken });
      expect(refusal(refreshed)).toEqual(GRANT_REFUSED);
    },

    async 'ensure-token-endpoint-fails-with-expired-auth-code'({ one, advance }) {
      const [early, late] = [await authorize(one), await authorize(one)];
      advance(58);
      await expectTokens(one, early.pushed, await redeem(one, early.pushed, early.code));
      advance(4);
      expect(refusal(await redeem(one, late.pushed, late.code))).toEqual(GRANT_REFUSED);
    },

    async 'ensure-pkce-code-verifier-required'({ one }) {
      expect(await refusalOfRedeeming(one, { parameters: { code_verifier: undefined } })).toEqual(GRANT_REFUSED);
    },

    async 'incorrect-pkce-code-verifier-rejected'({ one }) {
      const { verifier } = authorizationRequest(one);
      expect(await refusalOfRedeeming(one, { parameters: { code_verifier: verifier } })).toEqual(GRANT_REFUSED);
    },
  },

  dpop: {
    async 'ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt'({ one }) {
      const { pushed, code } = await authorize(one, {}, { proof: { key: await makeKey('ES256') } });
      expect(refusal(await redeem(one, pushed, code))).toEqual(GRANT_REFUSED);
    },

    async 'ensure-token-endpoint-fails-with-mismatched-dpop-jkt'({ one }) {
      const { pushed, code } = await authorize(one, { dpop_jkt: await thumbprint(await makeKey('ES256')) });
      expect(refusal(await redeem(one, pushed, code))).toEqual(GRANT_REFUSED);
    },
  },

  privateKeyJwt: {
    // Only the client with an RSA key could sign so.
    async 'ensure-signed-client-assertion-with-RS256-fails'({ two }) {
      const assertionKey = await asRs256(two.client.key);
      expect(await refusalOfRedeeming(two, { assertionKey })).toEqual(CLIENT_REFUSED);
      expect(await refusalOfPush(two, {}, { assertionKey })).toEqual(CLIENT_REFUSED);
    },

    async 'ensure-client-assertion-in-token-endpoint'({ one }) {
      const bare = { client_id: one.client.id, client_assertion: undefined, client_assertion_type: undefined };
      expect(await refusalOfRedeeming(one, { parameters: bare })).toEqual(CLIENT_REFUSED);
    },

    async 'ensure-client-assertion-with-exp-is-5-minutes-in-past-fails'({ one }) {
      const assertion = { iat: now() - 360, exp: now() - 300 };
      expect(await refusalOfRedeeming(one, { assertion })).toEqual(CLIENT_REFUSED);
    },

    async 'ensure-client-assertion-with-wrong-aud-fails'({ one }) {
      const assertion = { aud: 'https://other.example' };
      expect(await refusalOfRedeeming(one, { assertion })).toEqual(CLIENT_REFUSED);
    },

    async 'ensure-client-assertion-with-no-sub-fails'({ one }) {
      expect(await refusalOfRedeeming(one, { assertion: { sub: undefined } })).toEqual(CLIENT_REFUSED);
    },

    // In the newest copies of the suite.
    async 'ensure-invalid-client-assertions-fail'({ one, two }) {
      const inAMinute = { iat: now() + 61, nbf: now() + 61, exp: now() + 121 };
      for (const assertion of [
        ...[{ sub: undefined }, { iss: undefined }, { iss: two.client.id }, { aud: undefined }, { jti: undefined }],
        ...[{ aud: 'https://other.example' }, { exp: now() - 300 }, { exp: undefined }, inAMinute],
      ]) {
        expect([assertion, await refusalOfAssertion(one, assertion)]).toEqual([assertion, CLIENT_REFUSED]);
      }
      expect(await refusalOfAssertion(one, { sub: two.client.id })).toEqual([400, 'invalid_request']);
      const type = 'client_assertion_type';
      for (const value of [undefined, 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer']) {
        const change = { parameters: { [type]: value } };
        expect(await refusalOfPush(one, {}, change)).toEqual([400, 'invalid_request']);
      }
      const unsigned = (assertion: string) =>
        new jose.UnsecuredJWT(jose.decodeJwt(assertion)).setIssuer(one.client.id).encode();
      expect(await refusalOfPush(one, {}, { finishAssertion: unsigned })).toEqual(CLIENT_REFUSED);
      expect(await refusalOfPush(one, {}, { assertionKey: await makeKey('ES256') })).toEqual(CLIENT_REFUSED);
      // Once only (RFC 7523 3).
      const again = { assertion: { jti: 'the same' } };
      await push(one, {}, again);
      expect(await refusalOfPush(one, {}, again)).toEqual(CLIENT_REFUSED);
      await push(one);
    },

    async 'par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted'({ one }) {
      await push(one, {}, { assertion: { iat: now() + 8, nbf: now() + 8, exp: now() + 68 } });
    },

    async 'par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails'({ one }) {
      const assertion = { iat: now() + 61, nbf: now() + 61, exp: now() + 121 };
      expect(await refusalOfAssertion(one, assertion)).toEqual(CLIENT_REFUSED);
    },

    async 'par-test-array-as-audience-fails'({ one }) {
      for (const aud of [[one.issuer, 'https://other.example'], [one.issuer]]) {
        expect(await refusalOfAssertion(one, { aud })).toEqual(CLIENT_REFUSED);
      }
    },

    async 'par-test-par-endpoint-url-as-audience-fails'({ one }) {
      expect(await refusalOfAssertion(one, { aud: `${one.issuer}/request` })).toEqual(CLIENT_REFUSED);
    },

    async 'par-test-token-endpoint-url-as-audience-fails'({ one }) {
      expect(await refusalOfAssertion(one, { aud: `${one.issuer}/token` })).toEqual(CLIENT_REFUSED);
    },
  },
});
