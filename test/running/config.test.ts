import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
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

const PRODUCTION = {
  NODE_ENV: 'production',
  ISSUER: 'https://login.example.org',
  MONGODB_URI: 'mongodb://db/idp',
  REDIS_URL: 'redis://cache',
  COOKIE_KEYS: 'c'.repeat(32),
  KEY_ENCRYPTION_KEY: 'k'.repeat(32),
  PASSWORD_PEPPER: 'p'.repeat(32),
};

describe('settings', () => {
  test('need none in development', () => {
    const config = loadConfig({}, ROOT);
    expect(config).toMatchObject({ port: 3000, issuer: 'http://localhost:3000', portalPort: 3001, dataDir: '.data' });
    expect(config.clients.map(({ client_id }) => client_id)).toContain('member-portal');
    expect(config.members.length).toBeGreaterThan(0);
  });

  test('an empty value is no value', () => {
    expect(loadConfig({ PORT: '', MONGODB_URI: '', ISSUER: '' }, ROOT)).toMatchObject({
      port: 3000,
      servers: undefined,
    });
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
    [{ ISSUER: 'http://localhost:1/?a=b' }, 'must be an origin and no more'],
    [{ ISSUER: 'http://u:p@localhost' }, 'must be an origin and no more'],
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
    });
    for (const name of ['MONGODB_URI and REDIS_URL', 'COOKIE_KEYS', 'KEY_ENCRYPTION_KEY', 'MEMBERS_FILE']) {
      expect(message).toContain(`- ${name}`);
    }
  });

  test('a secret may come from a file, and several stand in one, the current first', () => {
    const { COOKIE_KEYS: _, ...rest } = PRODUCTION;
    const path = file('cookie-keys', `${'n'.repeat(32)},${'o'.repeat(32)}\n`);
    expect(loadConfig({ ...rest, COOKIE_KEYS_FILE: path }, ROOT).secrets?.cookieKeys).toEqual([
      'n'.repeat(32),
      'o'.repeat(32),
    ]);
  });
});
