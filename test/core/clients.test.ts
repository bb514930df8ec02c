import { describe, expect, test } from '@jest/globals';
import { CLIENT_KINDS, isSeenByMembers, KIND_METADATA, needsSecret } from '../../src/core/client/kinds.ts';
import { lintRedirectUri } from '../../src/core/client/redirectUri.ts';
import { digestSecret, secretMatches, withNewSecret } from '../../src/core/client/secret.ts';

describe('a redirect URI', () => {
  test.each([
    'https://app.example.org/callback?tenant=7',
    'http://127.0.0.1/callback',
    'http://[::1]:4000/callback',
    'org.example.app:/callback',
  ])('%s is good', (uri) => expect(lintRedirectUri(uri)).toEqual({ faults: [], advice: [] }));

  test('on localhost is taken with advice', () => {
    const { faults, advice } = lintRedirectUri('http://localhost:4000/callback');
    expect([faults, advice]).toEqual([[], [expect.stringContaining('127.0.0.1 is safer')]]);
  });

  test.each([
    ['/callback', 'no absolute address'],
    ['https://app.example.org/#done', 'a fragment'],
    ['https://app.example.org/#', 'a fragment'],
    ['https://*.example.org/', 'a wildcard'],
    ['https://bank.example@app.example/', 'before the @'],
    ['http://app.example.org/', 'plain http'],
    ['http://localhost.example.org/', 'plain http'],
    ['myapp:/callback', 'which other apps may take'],
    ['javascript:alert(1)', 'which other apps may take'],
  ])('%s is refused with a reason', (uri, reason) => {
    expect(lintRedirectUri(uri).faults).toEqual([expect.stringContaining(reason)]);
  });
});

describe('the secrets of a client', () => {
  const first = { digest: digestSecret('first'), createdAt: 1 };

  test('hold together for the overlap, and then only the new one', () => {
    const secrets = withNewSecret([first], 'second', 100, 1_000);
    const hold = (now: number) => ['first', 'second'].filter((secret) => secretMatches(secret, secrets, now));
    expect([hold(1_000), hold(1_099), hold(1_100)]).toEqual([['first', 'second'], ['first', 'second'], ['second']]);
  });

  test('never hold longer than they were to, and go when they hold no longer', () => {
    const second = withNewSecret([first], 'second', 100, 1_000);
    expect(withNewSecret(second, 'third', 5_000, 1_050)[2]?.expiresAt).toBe(1_100);
    expect(withNewSecret(second, 'third', 5_000, 1_100)).toHaveLength(2);
    expect(withNewSecret(second, 'third', 0, 1_050)).toEqual([{ digest: digestSecret('third'), createdAt: 1_050 }]);
  });
});

test('a client has a secret, or members in front of it, as its kind says', () => {
  const kinds = (has: typeof needsSecret) => CLIENT_KINDS.filter((kind) => has(KIND_METADATA[kind]));
  expect(kinds(needsSecret)).toEqual(['web', 'service']);
  expect(kinds(isSeenByMembers)).toEqual(['web', 'single-page', 'native', 'device']);
  expect([needsSecret({}), isSeenByMembers({})]).toEqual([true, true]);
});
