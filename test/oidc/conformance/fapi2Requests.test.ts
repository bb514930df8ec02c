import { expect } from '@jest/globals';
import { Visitor } from '../../support/visitor.ts';
import { type FapiParty, makeKey, redirectUris, send, thumbprint } from './fapiClient.ts';
import {
  authorizationRequest,
  authorizationUrl,
  callback,
  codeOf,
  describeFapiModules,
  expectErrorPage,
  expectTokens,
  push,
  random,
  redeem,
  refusalOfPush,
  signIn,
} from './fapiFlow.ts';

/** A member opens the authorization request, which must lead to no page for signing in. */
const open = (party: FapiParty, url: string, visitor = new Visitor()) => visitor.go(url, party.issuer);

/** Signs in on an address that has been tampered with: what was pushed must count. */
async function succeedInSpiteOf(party: FapiParty, pushed: Awaited<ReturnType<typeof push>>, query: object) {
  const code = codeOf(party, pushed, await signIn(party, authorizationUrl(party, pushed, query)));
  return expectTokens(party, pushed, await redeem(party, pushed, code));
}

/** FAPI 2.0 Security Profile Final, OpenID conformance suite: requests for authorization that go wrong. */
describeFapiModules({
  every: {
    // The plan's own apps ask for consent only by `prompt=consent`; a partner's app is always asked about.
    async 'user-rejects-authentication'({ one, two }) {
      for (const party of [one, two]) {
        const pushed = await push(party, { state: random(128), prompt: 'consent' });
        const visitor = new Visitor();
        const page = await signIn(party, authorizationUrl(party, pushed), visitor);
        const back = await visitor.submit(page, { decision: 'deny' }, party.issuer);
        const { error_description: _, ...rest } = callback(party, back);
        expect(rest).toEqual({ error: 'access_denied', state: pushed.parameters.state });
      }
    },

    async 'ensure-different-nonce-inside-and-outside-request-object'({ one }) {
      const pushed = await push(one);
      const { idToken } = await succeedInSpiteOf(one, pushed, { nonce: random(10) });
      expect(idToken.nonce).toBe(pushed.parameters.nonce);
    },

    async 'ensure-different-state-inside-and-outside-request-object'({ one }) {
      await succeedInSpiteOf(one, await push(one), { state: random(10) });
    },

    async 'state-only-outside-request-object-not-used'({ one }) {
      const pushed = await push(one, { state: undefined });
      const back = await signIn(one, authorizationUrl(one, pushed, { state: random(10) }));
      expect(Object.keys(callback(one, back))).toEqual(['code']);
    },

    async 'ensure-request-object-without-redirect-uri-fails'({ one }) {
      expect(await refusalOfPush(one, { redirect_uri: undefined })).toEqual([400, 'invalid_request']);
    },

    // What another client has registered, and what only resembles the registered one.
    async 'plain-fapi-tolerate-unregistered-redirect-uri'({ one, two }) {
      const [plain] = redirectUris(one.client.id);
      for (const redirect_uri of [redirectUris(two.client.id)[0], `${plain}/more`, `${plain}?more=1`]) {
        expect(await refusalOfPush(one, { redirect_uri })).toEqual([400, 'invalid_request']);
      }
    },

    async 'ensure-unsigned-authorization-request-without-using-par-fails'({ one }) {
      const { parameters } = authorizationRequest(one);
      const url = new URL(`${one.issuer}/auth`);
      for (const [name, value] of Object.entries({ client_id: one.client.id, ...parameters })) {
        url.searchParams.set(name, String(value));
      }
      const { error, state } = callback(one, await open(one, url.href));
      expect([error, state]).toEqual(['invalid_request', parameters.state]);
    },

    async 'ensure-redirect-uri-in-authorization-request'({ one }) {
      const outside = authorizationRequest(one, { redirect_uri: undefined });
      const url = new URL(`${one.issuer}/auth`);
      for (const [name, value] of Object.entries({ client_id: one.client.id, ...outside.parameters })) {
        if (value !== undefined) url.searchParams.set(name, value);
      }
      expectErrorPage(await open(one, url.href), 'invalid_request');
      expect(await refusalOfPush(one, { redirect_uri: undefined })).toEqual([400, 'invalid_request']);
    },

    async 'ensure-response-type-code-idtoken-fails'({ one }) {
      expect(await refusalOfPush(one, { response_type: 'code id_token' })).toEqual([400, 'unsupported_response_type']);
    },

    async 'ensure-response-type-token-fails'({ one }) {
      expect(await refusalOfPush(one, { response_type: 'token' })).toEqual([400, 'unsupported_response_type']);
    },

    async 'par-attempt-reuse-request_uri'({ one }) {
      const pushed = await push(one);
      const visitor = new Visitor();
      const url = authorizationUrl(one, pushed);
      codeOf(one, pushed, await signIn(one, url, visitor));
      expectErrorPage(await open(one, url, visitor), 'invalid_request_uri');
      expectErrorPage(await open(one, url), 'invalid_request_uri');
    },

    async 'par-attempt-to-use-expired-request_uri'({ one, advance }) {
      const pushed = await push(one);
      advance(59);
      expect((await open(one, authorizationUrl(one, pushed))).body).toContain('id="password"');
      advance(2);
      expectErrorPage(await open(one, authorizationUrl(one, pushed)), 'invalid_request_uri');
    },

    async 'par-attempt-to-use-request_uri-for-different-client'({ one, two }) {
      const pushed = await push(one);
      expectErrorPage(await open(two, authorizationUrl(two, pushed)), 'invalid_request_object');
      // It is still good for the client that pushed it.
      codeOf(one, pushed, await signIn(one, authorizationUrl(one, pushed)));
    },

    async 'par-authorization-request-containing-request_uri-form-param'({ one }) {
      const { requestUri } = await push(one);
      for (const request_uri of [requestUri, 'urn:ietf:params:oauth:request_uri:made-up', 'https://one.example/jwt']) {
        expect(await refusalOfPush(one, { request_uri })).toEqual([400, 'request_uri_not_supported']);
      }
    },

    async 'par-attempt-invalid-http-method'({ one }) {
      const form = new URLSearchParams({ client_id: one.client.id, response_type: 'code' }).toString();
      for (const method of ['PUT', 'GET']) {
        const lines = [['content-type', 'application/x-www-form-urlencoded']] as const;
        const { status } = await send(method, `${one.issuer}/request`, lines, form);
        expect([method, status]).toEqual([method, 404]);
      }
    },

    async 'par-ensure-pkce-required'({ one }) {
      const without = { code_challenge: undefined, code_challenge_method: undefined };
      expect(await refusalOfPush(one, without)).toEqual([400, 'invalid_request']);
    },

    async 'par-plain-pkce-rejected'({ one }) {
      for (const code_challenge_method of ['plain', undefined]) {
        expect(await refusalOfPush(one, { code_challenge_method })).toEqual([400, 'invalid_request']);
      }
    },
  },

  dpop: {
    async 'ensure-mismatched-dpop-jkt-fails'({ one }) {
      const dpop_jkt = await thumbprint(await makeKey('ES256'));
      expect(await refusalOfPush(one, { dpop_jkt }, { proof: {} })).toEqual([400, 'invalid_request']);
    },
  },
});
