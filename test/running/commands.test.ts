import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ask, type } from '../support/command.ts';
import { dataUrl, png } from '../support/picture.ts';

const folder = mkdtempSync(join(tmpdir(), 'commands-'));
const env = { DATA_DIR: join(folder, 'data') };
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, content: unknown): string => {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
};
/** What the store holds, and what is still in its log. */
const stored = (): string =>
  ['', '-wal'].map((end) => readFileSync(join(env.DATA_DIR, `store.sqlite${end}`), { flag: 'a+' }).toString()).join('');

const APP = ['--name', 'Care Messages', '--client-uri', 'https://app.example/'];
const WEB = ['clients', 'make', '--kind', 'web', ...APP, '--redirect-uri', 'https://app.example/callback'];

describe('every command', () => {
  test.each(['audit', 'clients', 'members', 'keys', 'sessions'])(
    '%s tells how it is used, on the output when it was asked',
    async (name) => {
      const help = await type([name, '--help'], env);
      expect([help.code, help.stderr]).toEqual([0, '']);
      for (const word of ['Usage', 'Exit codes', '3 what was asked for does not exist']) {
        expect(help.stdout).toContain(word);
      }
      const nothing = await type([name], env);
      expect([nothing.code, nothing.stdout]).toEqual([2, '']);
      expect(nothing.stderr).toContain('A subcommand is missing');
    },
  );

  test('has a help for each subcommand', async () => {
    const { code, stdout } = await type(['clients', 'make', '--help'], env);
    expect([code, stdout]).toEqual([0, expect.stringContaining('Usage: scripts/clients make')]);
    for (const option of ['--kind KIND', '--redirect-uri URI', '--json', '--help']) expect(stdout).toContain(option);
  });

  test.each([
    [['clients', 'constructor'], 'no subcommand constructor'],
    [['clients', 'list', '--colour'], "Unknown option '--colour'"],
    [['clients', 'show'], 'show takes one ID'],
    [['clients', 'list', 'all'], 'list takes options only'],
  ])('%j is wrong usage', async (line, words) => {
    const { code, stdout, stderr } = await type(line, env);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(words);
  });

  test.each([
    [{ PORT: 'many', LOG_LEVEL: 'loud' }, 'The settings are not usable'],
    [{ MONGODB_URI: 'mongodb://127.0.0.1:1/x', REDIS_URL: 'redis://127.0.0.1:1' }, 'does not answer'],
    [{ DATA_DIR: '/dev/null' }, 'The data folder /dev/null cannot be used'],
  ])('with the settings %j says what is wrong with them', async (wrong, words) => {
    const { code, stdout, stderr } = await type(['clients', 'list'], { ...env, ...wrong } as Record<string, string>);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(words);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});

describe('scripts/clients', () => {
  test.each([
    ['web', ['--redirect-uri', 'https://a.example/cb'], { token_endpoint_auth_method: 'client_secret_basic' }],
    ['single-page', ['--redirect-uri', 'https://a.example/cb'], { token_endpoint_auth_method: 'none' }],
    ['native', ['--redirect-uri', 'org.example.app:/cb'], { token_endpoint_auth_method: 'none' }],
    ['service', ['--scope', 'records:read'], { grant_types: ['client_credentials'], response_types: [] }],
    ['device', [], { token_endpoint_auth_method: 'none', redirect_uris: [] }],
  ])('makes a %s client with safe defaults', async (kind, more, expected) => {
    const made = await ask<Record<string, unknown>>(['clients', 'make', '--kind', kind, ...APP, ...more], env);
    expect(made).toMatchObject({ id_token_signed_response_alg: 'ES256', ...expected });
    expect(made).not.toHaveProperty('require_pkce');
    const confidential = ['web', 'service'].includes(kind);
    expect(Buffer.from(String(made.client_secret ?? ''), 'base64url')).toHaveLength(confidential ? 32 : 0);
    const shown = await ask<object>(['clients', 'show', String(made.client_id)], env);
    expect(shown).toMatchObject({ client_id: made.client_id, disabled: false });
    expect(JSON.stringify(shown)).not.toMatch(/digest|client_secret"/);
    if (confidential) expect(stored()).not.toContain(made.client_secret);
  });

  test('says a new secret once, in words', async () => {
    const { stdout } = await type([...WEB, '--id', 'in-words'], env);
    expect(stdout).toMatch(/client_id +in-words\n +client_secret +\S{43}\nThe secret is shown this once/);
    expect((await type(['clients', 'show', 'in-words'], env)).stdout).not.toMatch(/\S{43}/);
  });

  test('holds an app to FAPI 2.0, by its public keys only', async () => {
    const key = {
      kty: 'EC',
      crv: 'P-256',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    };
    const jwks = ['--jwks', file('public.json', { keys: [key] })];
    expect(await ask([...WEB, '--fapi', ...jwks], env)).toMatchObject({
      ...{ fapi_profile: '2.0', token_endpoint_auth_method: 'private_key_jwt', dpop_bound_access_tokens: true },
      require_pushed_authorization_requests: true,
    });
    const secret = await type([...WEB, '--jwks', file('private.json', { keys: [{ ...key, d: 'secret' }] })], env);
    expect([secret.code, secret.stderr]).toEqual([2, expect.stringContaining('is a private key')]);
    expect((await type([...WEB, '--fapi'], env)).stderr).toContain('--fapi needs --jwks-uri or --jwks');
  });

  test('takes registration metadata from a file, in which options overrule', async () => {
    const metadata = { client_name: 'From', redirect_uris: ['https://a.example/cb'], client_uri: 'https://a.example/' };
    const made = await ask([...['clients', 'make', '--name', 'Overruled'], '--from', file('raw.json', metadata)], env);
    expect(made).toMatchObject({ ...metadata, client_name: 'Overruled' });
    const short = await type(
      ['clients', 'make', '--from', file('short.json', { ...metadata, client_secret: 'x' })],
      env,
    );
    expect([short.code, short.stderr]).toEqual([2, expect.stringContaining('too short')]);
  });

  test.each([
    [['--kind', 'spa', ...APP], 2, '--kind must be one of'],
    [['--kind', 'web', '--name', 'X', '--redirect-uri', 'https://a.example/'], 2, 'the way back for a member'],
    [['--kind', 'web', ...APP], 2, '--redirect-uri is missing'],
    [['--kind', 'native', ...APP, '--redirect-uri', 'a.b:/', '--without-pkce'], 2, 'for confidential clients only'],
    [['--kind', 'native', ...APP, '--redirect-uri', 'myapp:/'], 3, 'which other apps may take'],
    [['--kind', 'web', ...APP, '--redirect-uri', 'https://a.example/*#x'], 3, 'has a wildcard'],
    [['--kind', 'web', ...APP, '--redirect-uri', 'a.b:/'], 3, 'redirect_uris must only contain web uris'],
  ])('refuses %j and says why', async (options, code, words) => {
    const told = await type(['clients', 'make', ...options], env);
    expect([told.code, told.stdout]).toEqual([code, '']);
    expect(told.stderr).toContain(words);
  });

  test('advises against localhost, and takes it', async () => {
    const { code, stderr } = await type([...WEB, '--redirect-uri', 'http://localhost:4000/cb'], env);
    expect([code, stderr]).toEqual([0, expect.stringContaining('127.0.0.1 is safer')]);
  });

  test('refuses an id that is taken, and what there is not', async () => {
    await ask([...WEB, '--id', 'taken'], env);
    expect((await type([...WEB, '--id', 'taken'], env)).code).toBe(3);
    for (const subcommand of ['show', 'disable', 'enable', 'rotate-secret', 'end-old-secrets', 'delete', 'history']) {
      const told = await type(['clients', subcommand, 'nobody'], env);
      expect([told.code, told.stderr]).toEqual([3, 'There is no client nobody.\n']);
    }
  });

  test('lists, disables and enables', async () => {
    await ask([...WEB, '--id', 'switched'], env);
    const state = async () => {
      const all = await ask<{ client_id: string; disabled: boolean }[]>(['clients', 'list'], env);
      expect(all.map(({ client_id }) => client_id)).toEqual(all.map(({ client_id }) => client_id).sort());
      return all.find(({ client_id }) => client_id === 'switched')?.disabled;
    };
    expect(await state()).toBe(false);
    await ask(['clients', 'disable', 'switched'], env);
    expect(await state()).toBe(true);
    await ask(['clients', 'enable', 'switched'], env);
    expect(await state()).toBe(false);
  });

  test('rotates a secret with an overlap or at once, and says where there is none', async () => {
    await ask([...WEB, '--id', 'rotated'], env);
    const secrets = async () =>
      (await ask<{ secrets: { ends?: string }[] }>(['clients', 'show', 'rotated'], env)).secrets;
    await ask(['clients', 'rotate-secret', 'rotated', '--overlap', '12h'], env);
    const [fresh, old] = await secrets();
    expect(fresh?.ends).toBeUndefined();
    expect(Math.abs(Date.parse(String(old?.ends)) - Date.now() - 43_200_000)).toBeLessThan(60_000);
    await ask(['clients', 'rotate-secret', 'rotated', '--now'], env);
    expect(await secrets()).toHaveLength(1);
    expect((await type(['clients', 'rotate-secret', 'rotated', '--overlap', 'soon'], env)).code).toBe(2);
    await ask(['clients', 'make', '--kind', 'device', ...APP, '--id', 'secretless'], env);
    expect((await type(['clients', 'rotate-secret', 'secretless'], env)).stderr).toContain('has no secret');
  });

  test('changes, ends old secrets, deletes, and tells who did it and why', async () => {
    const made = await ask<{ client_secret: string }>([...WEB, '--id', 'lived', '--reason', 'Pilot'], env);
    const { client_secret: _, ...metadata } = { ...made, client_name: 'Care Letters' };
    await ask(['clients', 'change', 'lived', '--from', file('lived.json', metadata)], env);
    await ask(['clients', 'rotate-secret', 'lived'], env);
    await ask(['clients', 'end-old-secrets', 'lived'], env);
    const shown = await ask<{ secrets: object[] }>(['clients', 'show', 'lived'], env);
    expect(shown).toMatchObject({ client_name: 'Care Letters', secrets: [{ created: expect.any(String) }] });
    await ask(['clients', 'delete', 'lived', '--reason', 'End of the pilot'], env);
    expect((await type(['clients', 'show', 'lived'], env)).code).toBe(3);
    const history = await ask<object[]>(['clients', 'history', 'lived'], env);
    expect(history).toMatchObject([
      { action: 'deleted', by: 'command line', reason: 'End of the pilot' },
      { action: 'secret-ended' },
      { action: 'secret-rotated' },
      { action: 'changed', fields: [{ name: 'client_name', from: '"Care Messages"', to: '"Care Letters"' }] },
      { action: 'registered', reason: 'Pilot' },
    ]);
    const other = file('other.json', { ...metadata, client_id: 'another' });
    expect((await type(['clients', 'change', 'lived', '--from', other], env)).stderr).toContain('is about the client');
  });

  test('gives an app a look, and takes it away', async () => {
    await ask([...WEB, '--id', 'looks', '--color', '#0B6B62'], env);
    const logo = join(folder, 'logo.png');
    writeFileSync(logo, png(64, 64));
    expect((await type(['clients', 'look', 'looks', '--color', '#4fc3b2'], env)).stderr).toContain('has a contrast of');
    expect((await type(['clients', 'look', 'looks', '--logo', 'nowhere.png'], env)).stderr).toContain('cannot be read');
    expect(await ask(['clients', 'look', 'looks', '--logo', logo], env)).toMatchObject({
      ...{ brand_color: '#0b6b62', brand_logo: dataUrl(png(64, 64)) },
    });
    expect((await type(['clients', 'show', 'looks'], env)).stdout).toMatch(/brand_logo +data:image\/png;base64,.{18}…/);
    const plain = await ask(['clients', 'look', 'looks', '--no-logo', '--no-color'], env);
    expect(plain).not.toHaveProperty('brand_logo');
    expect(plain).not.toHaveProperty('brand_color');
  });

  test('imports what it has exported, dry at first, and nothing of a file with a fault', async () => {
    await ask([...WEB, '--id', 'exported'], env);
    const all = JSON.parse((await type(['clients', 'export'], env)).stdout) as { clients: { client_id: string }[] };
    const one = all.clients.filter(({ client_id }) => client_id === 'exported');
    await ask(['clients', 'delete', 'exported'], env);
    const path = file('export.json', { clients: one });
    const dry = await ask<object>(['clients', 'import', path, '--dry-run'], env);
    expect(dry).toMatchObject({ written: false, clients: [{ client_id: 'exported', outcome: 'registered' }] });
    expect((await type(['clients', 'show', 'exported'], env)).code).toBe(3);
    const bad = { client_id: 'bad', metadata: { client_name: 'Bad', redirect_uris: ['http://app.example/'] } };
    const refused = await type(['clients', 'import', file('bad.json', { clients: [...one, bad] })], env);
    expect([refused.code, refused.stdout]).toEqual([3, expect.stringContaining('Nothing was written.')]);
    const done = await ask<{ clients: { client_secret: string }[] }>(['clients', 'import', path], env);
    expect(done.clients[0]?.client_secret).toMatch(/^[\w-]{43}$/);
    expect((await type(['clients', 'import', path], env)).stdout).toContain('exported: unchanged');
  });

  test('keeps a secret that a file brings, and says what clients:write means', async () => {
    const metadata = { client_name: 'Script', grant_types: ['client_credentials'], response_types: [] };
    const brought = { ...metadata, client_secret: 'a secret of an older system, long enough' };
    const { stdout, stderr } = await type(
      ['clients', 'make', '--from', file('brought.json', brought), '--scope', 'clients:write'],
      env,
    );
    expect(stdout).toContain(brought.client_secret);
    expect(stderr).toContain('with clients:write it can do to every client what an administrator can');
  });

  test('prints names that would move the cursor as what they are', async () => {
    await ask([...WEB, '--id', 'odd', '--name', 'Red \u001b[31m\u202e'], env);
    const { stdout } = await type(['clients', 'list'], env);
    for (const odd of ['\u001b', '\u202e']) expect(stdout).not.toContain(odd);
  });

  test('says that apps cannot register themselves where that is so', async () => {
    const { code, stderr } = await type(['clients', 'initial-token'], { ...env, DYNAMIC_REGISTRATION: 'off' });
    expect([code, stderr]).toEqual([3, expect.stringContaining('DYNAMIC_REGISTRATION is off')]);
  });
});

describe('scripts/keys', () => {
  beforeAll(() => ask(['keys', 'list'], env));
  const states = async () => (await ask<{ state: string }[]>(['keys', 'list'], env)).map(({ state }) => state).sort();

  test('rotates once, and says when the new keys sign', async () => {
    expect(await states()).toEqual(['current', 'current']);
    const { signsFrom } = await ask<{ signsFrom: string }>(['keys', 'rotate'], env);
    expect(Math.abs(Date.parse(signsFrom) - Date.now() - 360_000)).toBeLessThan(60_000);
    expect(await states()).toEqual(['current', 'current', 'next', 'next']);
    const again = await type(['keys', 'rotate'], env);
    expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('New keys are waiting already')]);
    expect(await states()).toHaveLength(4);
  });

  test('sets how often new keys come, and goes back to what the settings say', async () => {
    const { rotatesAt: usual } = await ask<{ rotatesAt: string }>(['keys', 'schedule', '--default'], env);
    const { rotatesAt } = await ask<{ rotatesAt: string }>(['keys', 'schedule', '--days', '30'], env);
    expect(Date.parse(usual) - Date.parse(rotatesAt)).toBe(60 * 86_400_000);
    expect(await ask(['keys', 'schedule', '--days', '0'], env)).toEqual({ rotatesAt: null });
    for (const wrong of [[], ['--days', '401'], ['--days', 'x'], ['--days', '1', '--default']])
      expect((await type(['keys', 'schedule', ...wrong], env)).code).toBe(2);
    await ask(['keys', 'schedule', '--default'], env);
  });

  test('in an emergency says what breaks before it does so', async () => {
    const asked = await type(['keys', 'rotate', '--emergency'], env);
    expect([asked.code, asked.stdout]).toEqual([2, '']);
    for (const word of ['ID token', 'JWT access token', 'id_token_hint', 'Logout tokens', '--emergency --yes']) {
      expect(asked.stderr).toContain(word);
    }
    expect(await states()).toHaveLength(4);
    await ask(['keys', 'rotate', '--emergency', '--yes'], env);
    expect(await states()).toEqual(['current', 'current']);
  });

  test('says so when the settings do not open the stored keys', async () => {
    const secret = (text: string) => `${text}-of-32-characters-and-many-more`;
    const others = {
      ...{ COOKIE_KEYS: secret('c'), KEY_ENCRYPTION_KEY: secret('k') },
      ...{ PASSWORD_PEPPER: secret('p'), ROSTER_KEY: secret('r') },
    };
    const { code, stderr } = await type(['keys', 'list'], { ...env, ...others });
    expect([code, stderr]).toEqual([1, expect.stringContaining('KEY_ENCRYPTION_KEY')]);
  });
});
