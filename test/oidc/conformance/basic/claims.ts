import { expect, test } from '@jest/globals';
import { Visitor } from '../../../support/visitor.ts';
import type { Bench } from './plan.ts';

/** What the sample member's scopes say at UserInfo. */
const CLAIMS = {
  profile: {
    ...{ name: 'Sample Member', given_name: 'Sample', family_name: 'Member', preferred_username: 'sample.member' },
    ...{ birthdate: '1951-03-14', locale: 'en', updated_at: expect.any(Number) },
  },
  email: { email: 'sample.member@example.com', email_verified: true },
  address: { address: { postal_code: '97201' } },
  phone: { phone_number: '+12025550143', phone_number_verified: true },
};

/** Scopes, claims and authentication classes. */
export function claimModules(at: () => Bench): void {
  test.each([
    ['oidcc-scope-profile', ['profile']],
    ['oidcc-scope-email', ['email']],
    ['oidcc-scope-address', ['address']],
    ['oidcc-scope-phone', ['phone']],
    ['oidcc-scope-all', ['profile', 'email', 'address', 'phone']],
  ] as const)('%s', async (_, scopes) => {
    const { app } = at();
    const scope = ['openid', ...scopes].join(' ');
    const { info, claims, tokens } = await app.signIn(new Visitor(), { scope });
    const expected = Object.assign({ sub: claims.sub }, ...scopes.map((one) => CLAIMS[one]));
    expect(app.server.scopes_supported).toEqual(expect.arrayContaining([...scopes]));
    expect(app.server.claims_supported).toEqual(expect.arrayContaining(Object.keys(expected)));
    expect(info).toEqual(expected);
    expect(tokens.scope).toBe(scope);
  });

  test('oidcc-ensure-other-scope-order-succeeds', async () => {
    const { info, claims } = await at().app.signIn(new Visitor(), { scope: 'email openid' });
    expect(info).toEqual({ sub: claims.sub, ...CLAIMS.email });
  });

  test('oidcc-claims-essential', async () => {
    const { app } = at();
    expect(app.server.claims_parameter_supported).toBe(true);
    const parameters = { claims: JSON.stringify({ userinfo: { name: { essential: true } } }) };
    const { info, claims } = await app.signIn(new Visitor(), parameters);
    expect(info).toEqual({ sub: claims.sub, name: 'Sample Member' });
    expect(claims).not.toHaveProperty('name');
  });

  test('oidcc-ensure-request-with-acr-values-succeeds', async () => {
    const { app } = at();
    const offered = app.server.acr_values_supported;
    const { claims } = await app.signIn(new Visitor(), { acr_values: offered.join(' ') });
    expect(offered).toContain(claims.acr);
  });

  test('oidcc-ensure-request-without-nonce-succeeds-for-code-flow', async () => {
    const { claims } = await at().app.signIn(new Visitor(), { nonce: undefined });
    expect(claims).not.toHaveProperty('nonce');
  });
}
