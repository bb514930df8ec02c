import { describe, expect, test } from '@jest/globals';
import { makeSeal } from '../../src/adapters/seal.ts';
import { canonicalSignInName } from '../../src/core/account/signInName.ts';
import { type ClientMetadata, describeApp, formTargets } from '../../src/core/client/client.ts';
import { digestSecret, secretMatches } from '../../src/core/client/secret.ts';
import { resultOf } from '../../src/core/journey/authorizationRequest.ts';
import { type Facts, nextStep, type Requirement } from '../../src/core/journey/journey.ts';
import { sessionTtl } from '../../src/core/session/limits.ts';

describe('the next step', () => {
  const password = { accountId: 'a', at: 1, shared: false, epoch: 0 };
  const consent = { decision: 'allowed', at: 2 } as const;
  test.each<[string, Facts, Requirement[], string]>([
    ['nothing proven', {}, ['password'], 'password'],
    ['password proven', { password }, ['password'], 'done'],
    ['only consent wanted', {}, ['consent'], 'consent'],
    ['both wanted, nothing proven', {}, ['consent', 'password'], 'password'],
    ['both wanted, password proven', { password }, ['consent', 'password'], 'consent'],
    ['both wanted, consent given first', { consent }, ['consent', 'password'], 'password'],
    ['all proven', { password, consent }, ['consent', 'password'], 'done'],
    ['nothing wanted', {}, [], 'done'],
  ])('with %s', (_, facts, requirements, expected) => {
    expect(nextStep(facts, new Set(requirements))).toBe(expected);
  });

  test('what was refused is an error for the app, whatever else was proven', () => {
    expect(resultOf({ password, consent: { decision: 'denied', at: 2 } }, undefined)).toMatchObject({
      error: 'access_denied',
    });
    expect(resultOf({ password }, undefined)).toMatchObject({ login: { accountId: 'a', ts: 1, amr: ['pwd'] } });
    expect(resultOf({ consent }, undefined)).toEqual({ consent: {} });
  });
});

describe('sign-in names', () => {
  test.each([
    ['Jose', 'jose'],
    ['JOSE', 'jose'],
    ['ｊｏｓｅ', 'jose'],
    [' jose\u00a0', 'jose'],
    ['ÅNGSTRÖM', 'ångström'],
    ['\u212bngström', 'ångström'],
    ['a\u030angstro\u0308m', 'ångström'],
    ['Member@Example.ORG', 'member@example.org'],
  ])('%j is compared as %j', (typed, canonical) => {
    expect(canonicalSignInName(typed)).toBe(canonical);
    expect(canonicalSignInName(canonical)).toBe(canonical);
  });
});

describe('an app', () => {
  const app = (more: object): ClientMetadata => ({ client_id: 'c', redirect_uris: ['https://a.example/cb'], ...more });
  test.each([
    [
      app({ initiate_login_uri: 'https://a.example/start?x=1', client_uri: 'https://a.example/' }),
      'https://a.example/start?x=1&iss=https%3A%2F%2Flogin.example',
    ],
    [app({ client_uri: 'https://a.example/home' }), 'https://a.example/home'],
    [app({}), 'https://a.example'],
    [app({ redirect_uris: ['com.example:/cb'] }), undefined],
  ])('has a way back (%#)', (metadata, wayBack) => {
    expect(describeApp(metadata, 'https://login.example').wayBack).toBe(wayBack);
  });

  test('may receive our forms over https, on any loopback port that it uses, and at the schemes it has registered', () => {
    const metadata = app({
      redirect_uris: [
        'https://a.example/cb',
        'http://127.0.0.1/cb',
        'http://intranet.example/cb',
        'com.example.app:/cb',
      ],
    });
    expect(formTargets(metadata)).toEqual([
      'https:',
      'http://127.0.0.1:*',
      'http://intranet.example',
      'com.example.app:',
    ]);
  });

  test('may receive our forms on the loopback of IPv6, which CSP can only name by its scheme', () => {
    const metadata = app({ redirect_uris: ['http://[::1]/cb', 'http://[::1]:51004/cb'] });
    expect(formTargets(metadata)).toEqual(['https:', 'http:']);
  });
});

test('a secret opens until it expires, and no digest opens for itself', () => {
  const held = [
    { digest: digestSecret('new'), createdAt: 1 },
    { digest: digestSecret('old'), createdAt: 1, expiresAt: 100 },
  ];
  const opens = (now: number) =>
    ['new', 'old', 'other', '', held[0]?.digest ?? ''].filter((secret) => secretMatches(secret, held, now));
  expect(opens(99)).toEqual(['new', 'old']);
  expect(opens(100)).toEqual(['new']);
  expect(secretMatches('', [], 1)).toBe(false);
  expect(secretMatches('', [{ digest: '', createdAt: 1 }], 1)).toBe(false);
});

describe('a seal', () => {
  const old = 'o'.repeat(32);
  const current = 'n'.repeat(32);
  test('opens with the key that it was made with, also after rotation', () => {
    const sealed = makeSeal([old]).seal('secret', 'purpose');
    expect(sealed).not.toContain('secret');
    expect(makeSeal([current, old]).open(sealed, 'purpose')).toBe('secret');
  });
  test('stays shut for another key, another purpose and a changed text', () => {
    const sealed = makeSeal([old]).seal('secret', 'purpose');
    expect(() => makeSeal([current]).open(sealed, 'purpose')).toThrow('KEY_ENCRYPTION_KEY');
    expect(() => makeSeal([old]).open(sealed, 'other')).toThrow();
    expect(() => makeSeal([old]).open(`${sealed.slice(0, -3)}AAA`, 'purpose')).toThrow();
    expect(() => makeSeal([old]).open('nonsense', 'purpose')).toThrow();
  });
});

test('a session has the idle limit, but never more than what is left of the overall limit', () => {
  const limits = { idle: 900, sharedIdle: 300, overall: 43_200 };
  const ttl = (loginTs: number | undefined, now: number, shared = false) =>
    sessionTtl(limits, { loginTs, shared }, now);
  expect(ttl(undefined, 1_000)).toBe(900);
  expect(ttl(1_000, 1_000)).toBe(900);
  expect(ttl(1_000, 1_000, true)).toBe(300);
  expect(ttl(1_000, 1_000 + 43_200 - 60)).toBe(60);
  expect(ttl(1_000, 1_000 + 43_200 + 60)).toBe(1);
});
