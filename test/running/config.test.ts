import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { developmentSecrets } from '../../src/config/developmentSecrets.ts';
import { ConfigFault } from '../../src/config/fault.ts';
import { loadConfig } from '../../src/config/load.ts';
import { ROOT } from '../support/provider.ts';

const folder = mkdtempSync(join(tmpdir(), 'config-'));
const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const faults = (env: Record<string, string>): string => {
  try {
    loadConfig(env, ROOT);
  } catch (error) {
    if (error instanceof ConfigFault) return error.message;
    throw error;
  }
  return '';
};

/** As `openssl rand -base64 32` makes them. */
const secret = () => randomBytes(32).toString('base64');

const PRODUCTION = {
  NODE_ENV: 'production',
  ISSUER: 'https://login.example.org',
  MONGODB_URI: 'mongodb://db/idp',
  REDIS_URL: 'redis://cache',
  COOKIE_KEYS: secret(),
  KEY_ENCRYPTION_KEY: secret(),
  PASSWORD_PEPPER: secret(),
  ROSTER_KEY: secret(),
};

describe('settings', () => {
  test('need none in development', () => {
    const config = loadConfig({}, ROOT);
    expect(config).toMatchObject({ port: 3000, issuer: 'http://localhost:3000', portalPort: 3001 });
    expect(config.dataDir).toBe(join(ROOT, '.data'));
    expect(config.clients.map(({ client_id }) => client_id)).toContain('member-portal');
    expect(config.members.length).toBeGreaterThan(0);
  });

  test('an empty value is no value', () => {
    expect(loadConfig({ PORT: '', MONGODB_URI: '', ISSUER: '' }, ROOT)).toMatchObject({
      port: 3000,
      servers: undefined,
    });
  });

  test('remember no browser where every sign-in takes two steps', () => {
    const days = { REMEMBER_BROWSER_DAYS: '30' };
    expect(loadConfig({}, ROOT).rememberBrowserDays).toBe(0);
    expect(loadConfig(days, ROOT).rememberBrowserDays).toBe(30);
    expect(faults({ ...days, MFA_POLICY: 'required' })).toContain('REMEMBER_BROWSER_DAYS: must be 0 where MFA_POLICY');
    // In production that is the policy unless told otherwise.
    expect(faults({ ...PRODUCTION, ...days })).toContain('REMEMBER_BROWSER_DAYS: must be 0 where MFA_POLICY');
    expect(faults({ ...PRODUCTION, ...days, MFA_POLICY: 'when-enrolled' })).toBe('');
    expect(faults({ REMEMBER_BROWSER_DAYS: '91' })).toContain('REMEMBER_BROWSER_DAYS');
  });

  test('every fault is told at once', () => {
    const message = faults({
      PORT: 'many',
      ISSUER: 'login.example.org',
      MONGODB_URI: 'postgres://x',
      LOG_LEVEL: 'loud',
      COOKIE_KEYS: 'short',
      KEY_ENCRYPTION_KEY_FILE: join(folder, 'absent'),
      CLIENTS_FILE: join(folder, 'no-clients'),
    });
    for (const name of [
      'PORT',
      'ISSUER',
      'MONGODB_URI',
      'LOG_LEVEL',
      'COOKIE_KEYS',
      'KEY_ENCRYPTION_KEY_FILE',
      'CLIENTS_FILE',
    ]) {
      expect(message).toContain(`- ${name}`);
    }
  });

  test.each([
    [{ CLIENTS_FILE: '/nowhere/clients.json' }, 'CLIENTS_FILE: /nowhere/clients.json cannot be read'],
    [{ CLIENTS_FILE: file('broken.json', '[{') }, 'cannot be read as JSON'],
    [{ CLIENTS_FILE: file('object.json', '{}') }, 'expected array'],
    [{ CLIENTS_FILE: file('noid.json', '[{"redirect_uris":[]}]') }, '0.client_id'],
    [{ MEMBERS_FILE: file('members.json', '[{"username":"a"}]') }, '0.email'],
    [{ MONGODB_URI: 'mongodb://db' }, 'MONGODB_URI and REDIS_URL: set both'],
    [
      { MONGODB_URI: 'mongodb://db', REDIS_URL: 'http://cache' },
      'REDIS_URL: must be redis://host:port, several of them',
    ],
    [{ ISSUER: 'http://localhost:1/?a=b' }, 'must be an origin and no more'],
    [{ ISSUER: 'http://u:p@localhost' }, 'must be an origin and no more'],
    [{ ROSTER_FILE: '/nowhere/roster.csv' }, 'ROSTER_FILE: /nowhere/roster.csv cannot be read'],
    [{ ELIGIBILITY_URL: 'ftp://plan.example' }, 'ELIGIBILITY_URL'],
    [{ ELIGIBILITY_TOKEN: 'two words' }, 'ELIGIBILITY_TOKEN: must be one word of ASCII'],
    [{ COOKIE_KEYS: 'c'.repeat(32) }, 'set all of them, or none'],
    [{ ISSUER: 'http://login.example.org' }, 'http is allowed on localhost only'],
    [{ ISSUER: 'https://login.example.org/path' }, 'must be an origin and no more'],
  ])('%j is told in words', (env, words) => expect(faults(env as unknown as Record<string, string>)).toContain(words));

  test('production takes real servers and real secrets, and refuses anything less', () => {
    expect(loadConfig(PRODUCTION, ROOT)).toMatchObject({ production: true, clients: [], members: [], portalPort: 0 });
    const message = faults({
      NODE_ENV: 'production',
      ISSUER: 'https://login.example.org',
      MEMBERS_FILE: 'config/members.dev.json',
      ROSTER_FILE: 'config/roster.dev.csv',
    });
    for (const name of [
      ...['MONGODB_URI and REDIS_URL', 'COOKIE_KEYS', 'KEY_ENCRYPTION_KEY', 'ROSTER_KEY'],
      ...['MEMBERS_FILE', 'ROSTER_FILE'],
    ]) {
      expect(message).toContain(`- ${name}`);
    }
  });

  test('a secret may come from a file, and several stand in one, the current first', () => {
    const { COOKIE_KEYS: _, ...rest } = PRODUCTION;
    const [current, former] = [secret(), secret()];
    const path = file('cookie-keys', `${current},${former}\n`);
    expect(loadConfig({ ...rest, COOKIE_KEYS_FILE: path }, ROOT).secrets?.cookieKeys).toEqual([current, former]);
  });

  test.each([
    ['one character again and again', { COOKIE_KEYS: 'c'.repeat(43) }, 'COOKIE_KEYS: is easy to guess'],
    ['a former one that is weak', { COOKIE_KEYS: `${secret()},${'0'.repeat(40)}` }, 'COOKIE_KEYS: is easy to guess'],
    ['a placeholder', { KEY_ENCRYPTION_KEY: 'changeme'.repeat(4) }, 'KEY_ENCRYPTION_KEY: is easy to guess'],
    ['a phrase', { PASSWORD_PEPPER: 'a-very-long-Password-of-our-plan-1' }, 'PASSWORD_PEPPER: is easy to guess'],
    ['a repetition', { METRICS_TOKEN: `${'k7#QxZ!b9w'.repeat(3)}k7#Qx` }, 'METRICS_TOKEN: is easy to guess'],
    ['a short one', { METRICS_TOKEN: 'tooshort' }, 'each secret needs 32 characters or more'],
    ['one for two', { METRICS_TOKEN: PRODUCTION.COOKIE_KEYS }, 'METRICS_TOKEN: is the same secret as COOKIE_KEYS'],
    ['one twice', { COOKIE_KEYS: `${PRODUCTION.COOKIE_KEYS},${PRODUCTION.COOKIE_KEYS}` }, 'holds one secret twice'],
    ['an issuer without TLS', { ISSUER: 'http://login.example.org' }, 'ISSUER: http is allowed on localhost in dev'],
    ['localhost', { ISSUER: 'http://localhost:3000' }, 'ISSUER: http is allowed on localhost in development only'],
    [
      'an eligibility service without TLS',
      { ELIGIBILITY_URL: 'http://plan.example' },
      'http is allowed on this machine',
    ],
    ['no issuer', { ISSUER: '' }, 'ISSUER: http is allowed on localhost in development only'],
  ])('production refuses %s', (_, env, words) => {
    const message = faults({ ...PRODUCTION, ...(env as unknown as Record<string, string>) });
    expect(message).toContain(words);
    // A secret is never repeated where a log or a screen keeps it.
    for (const value of Object.values(PRODUCTION)) if (value.length === 44) expect(message).not.toContain(value);
  });

  test('production never looks for the secrets that development has made', () => {
    const dataDir = mkdtempSync(join(folder, 'data-'));
    developmentSecrets(dataDir);
    const { COOKIE_KEYS: _, KEY_ENCRYPTION_KEY: __, PASSWORD_PEPPER: ___, ROSTER_KEY: ____, ...rest } = PRODUCTION;
    const message = faults({ ...rest, DATA_DIR: dataDir });
    for (const name of ['COOKIE_KEYS', 'KEY_ENCRYPTION_KEY', 'PASSWORD_PEPPER', 'ROSTER_KEY']) {
      expect(message).toContain(`- ${name}: production needs it`);
    }
  });

  test('the secrets of an older version are completed, those that there are stay, and all starts get the same', () => {
    const dataDir = mkdtempSync(join(folder, 'data-'));
    const path = join(dataDir, 'development-secrets.json');
    const { rosterKeys: _, ...older } = developmentSecrets(dataDir);
    writeFileSync(path, JSON.stringify(older));
    const completed = developmentSecrets(dataDir);
    expect(completed).toEqual({ ...older, rosterKeys: [expect.stringMatching(/^[\w-]{43}$/)] });
    expect(developmentSecrets(dataDir)).toEqual(completed);
    expect(readdirSync(dataDir)).toEqual(['development-secrets.json']);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    // One that died before it could put the new file in place.
    writeFileSync(path, JSON.stringify(older));
    writeFileSync(`${path}.next`, JSON.stringify({ ...older, rosterKeys: ['r'.repeat(43)] }));
    expect(developmentSecrets(dataDir).rosterKeys).toEqual(['r'.repeat(43)]);
  });

  test('the eligibility service is asked where it is set', () => {
    expect(loadConfig({}, ROOT).eligibility).toBeUndefined();
    const env = { ELIGIBILITY_URL: 'https://plan.example/members', ELIGIBILITY_TOKEN_FILE: file('token', 'abc.def\n') };
    expect(loadConfig(env, ROOT).eligibility).toEqual({ url: env.ELIGIBILITY_URL, token: 'abc.def' });
  });

  test('secrets that anybody would guess are good enough for a test', () => {
    const names = ['COOKIE_KEYS', 'KEY_ENCRYPTION_KEY', 'PASSWORD_PEPPER', 'ROSTER_KEY', 'METRICS_TOKEN'];
    const env = Object.fromEntries(names.map((name) => [name, 'c'.repeat(43)]));
    expect(loadConfig({ NODE_ENV: 'test', ...env }, ROOT)).toMatchObject({ metricsAccess: ['c'.repeat(43)] });
  });

  test('the metrics are open in development and closed in production, until they have a token', () => {
    expect(loadConfig({}, ROOT).metricsAccess).toBe('open');
    expect(loadConfig(PRODUCTION, ROOT).metricsAccess).toBe('closed');
    const token = secret();
    expect(loadConfig({ ...PRODUCTION, METRICS_TOKEN: token }, ROOT).metricsAccess).toEqual([token]);
  });

  test('several workers need servers; 0 means one for each core; production drains for 5 seconds', () => {
    expect(faults({ WORKERS: '2' })).toContain('WORKERS: the embedded store is for one process');
    expect(faults({ WORKERS: '0' })).toContain('WORKERS: the embedded store is for one process');
    expect(loadConfig({}, ROOT)).toMatchObject({ workers: 1, drainSeconds: 0 });
    const many = loadConfig({ ...PRODUCTION, WORKERS: '0' }, ROOT);
    expect(many).toMatchObject({ workers: availableParallelism(), drainSeconds: 5 });
  });
});
