import { expect } from '@jest/globals';
import * as jose from 'jose';
import { type Change, makeKey, type ProofChange } from './fapiClient.ts';
import { authorize, describeFapiModules, expectResource, redeem, refusal, succeed } from './fapiFlow.ts';

/** Rewrites the header of a finished JWT, whose signature then is wrong. */
const withHeader = (jwt: string, more: Readonly<Record<string, unknown>>): string => {
  const [, ...rest] = jwt.split('.');
  const header = JSON.stringify({ ...jose.decodeProtectedHeader(jwt), ...more });
  return [Buffer.from(header).toString('base64url'), ...rest].join('.');
};

const unsigned = (proof: string): string => withHeader(proof, { alg: 'none' }).replace(/[^.]+$/, '');
const miswritten = (proof: string): string => proof.replace(/[^.](?=[^.]+$)/, (one) => (one === 'A' ? 'B' : 'A'));
const hour = (direction: 1 | -1): number => Math.floor(Date.now() / 1000) + direction * 3_600;

/** FAPI 2.0 Security Profile Final, OpenID conformance suite: what a DPoP proof at the resource must be (RFC 9449 4.3). */
describeFapiModules({
  dpop: {
    async 'dpop-negative-tests'({ one }) {
      const { accessToken } = await succeed(one);
      const me = `${one.issuer}/me`;
      const privateJwk = await jose.exportJWK(one.client.dpopKey.privateKey);

      const wrong: Readonly<Record<string, ProofChange>> = {
        'two proofs': { finish: (proof) => [proof, proof] },
        'no JWT': { finish: () => 'no.jwt' },
        'without typ': { header: { typ: undefined } },
        'without alg': { finish: (proof) => withHeader(proof, { alg: undefined }) },
        'without jwk': { header: { jwk: undefined } },
        'without jti': { claims: { jti: undefined } },
        'without htm': { claims: { htm: undefined } },
        'without htu': { claims: { htu: undefined } },
        'without iat': { claims: { iat: undefined } },
        'without ath': { claims: { ath: undefined } },
        'another typ': { header: { typ: 'jwt' } },
        'signed with RS256': { key: await makeKey('RS256') },
        'not signed': { finish: unsigned },
        'wrongly signed': { finish: miswritten },
        'with the private key': { header: { jwk: privateJwk } },
        'for another method': { claims: { htm: 'PUT' } },
        'for another path': { claims: { htu: `${one.issuer}/token` } },
        'for another host': { claims: { htu: 'https://other.example/me' } },
        'of an hour ago': { claims: { iat: hour(-1) } },
        'of the next hour': { claims: { iat: hour(1) } },
        'for another token': { claims: { ath: 'fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo' } },
      };
      for (const [what, proof] of Object.entries(wrong)) {
        const reply = await one.resource(accessToken, { proof });
        expect([what, ...refusal(reply)]).toEqual([what, 401, 'invalid_dpop_proof']);
        expect(reply.headers['www-authenticate']).toMatch(
          /^DPoP .*error="invalid_dpop_proof".*algs="ES256 PS256 EdDSA"$/,
        );
      }

      const others: readonly (readonly [Change & { scheme?: string }, readonly [number, string]])[] = [
        [{ proof: { key: await makeKey('ES256') } }, [401, 'invalid_token']],
        [{ proof: 'none' }, [400, 'invalid_request']],
        [{ proof: 'none', scheme: 'Bearer' }, [401, 'invalid_token']],
        [{ scheme: 'Bearer' }, [400, 'invalid_request']],
      ];
      for (const [change, expected] of others) {
        expect(refusal(await one.resource(accessToken, change))).toEqual(expected);
      }

      const right: Readonly<Record<string, ProofChange>> = {
        'as it should be': {},
        'with a query and a fragment': { claims: { htu: `${me}?a=b#c` } },
        'with the host in capitals': { claims: { htu: me.replace('localhost', 'LOCALHOST') } },
        'with more than is known': { header: { more: 'x' }, claims: { more: 'y' } },
      };
      for (const [what, proof] of Object.entries(right)) {
        const { status } = await one.resource(accessToken, { proof });
        expect([what, status]).toEqual([what, 200]);
      }
      await expectResource(one, accessToken, { proof: { headerName: 'DPOP' } });

      const again: Change = { proof: { claims: { jti: 'the same for each' } } };
      await expectResource(one, accessToken, again);
      expect(refusal(await one.resource(accessToken, again))).toEqual([401, 'invalid_token']);
      await expectResource(one, accessToken);

      // The token endpoint judges alike.
      const { pushed, code } = await authorize(one);
      for (const what of ['signed with RS256', 'not signed', 'for another method', 'of an hour ago']) {
        const reply = await redeem(one, pushed, code, { proof: wrong[what] ?? {} });
        expect([what, ...refusal(reply)]).toEqual([what, 400, 'invalid_dpop_proof']);
      }
    },
  },
});
