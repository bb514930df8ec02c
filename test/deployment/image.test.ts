import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '../../scripts/servers.mjs';
import { buildImage, copiesOf, isIgnored, lastOf, listing } from '../support/image.ts';
import { ROOT } from '../support/provider.ts';
import { statusOf } from '../support/startedProcess.ts';
import { freshServers, STORE_PAIRS } from '../support/stores.ts';

/** What src/commands has a program for. */
const COMMANDS = readdirSync(join(ROOT, 'src/commands'))
  .filter((file) => readFileSync(join(ROOT, 'src/commands', file), 'utf8').includes('await runCommand('))
  .map((file) => file.replace('.ts', ''));

const secret = () => randomBytes(32).toString('base64');
const { NODE_OPTIONS: _, NODE_ENV: __, JEST_WORKER_ID: ___, ...surroundings } = process.env;
/** Nothing of the project's own Node: an image has one on its path. */
const clean = { ...surroundings, PATH: `${dirname(process.execPath)}:/usr/bin:/bin` };

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
function image(target: 'provider' | 'sample'): string {
  const folder = mkdtempSync(join(tmpdir(), `image-${target}-`));
  folders.push(folder);
  buildImage(target, folder);
  return folder;
}

describe('the Dockerfile', () => {
  test.each(['provider', 'sample'] as const)(
    'of %s copies what there is, and what .dockerignore lets through',
    (target) => {
      const paths = copiesOf(target).flatMap(({ from }) => from);
      expect(paths).toEqual(expect.arrayContaining(['src', 'views', 'config', 'scripts', 'package.json']));
      expect(paths.filter((path) => !existsSync(join(ROOT, path)) || isIgnored(path))).toEqual([]);
    },
  );

  test('lets through nothing that is stored or secret', () => {
    const secrets = [
      '.data/store.sqlite',
      '.git/config',
      'provider.env',
      'config/provider.env',
      'node_modules/koa/index.js',
    ];
    expect(secrets.filter((path) => !isIgnored(path))).toEqual([]);
  });

  test('runs it as a user without rights, in production, and ends it by SIGTERM', () => {
    expect(lastOf('provider', 'USER')).toBe('node');
    expect(lastOf('sample', 'USER')).toBe('node');
    expect([lastOf('provider', 'ENV'), lastOf('provider', 'STOPSIGNAL')]).toEqual(['NODE_ENV=production', 'SIGTERM']);
  });
});

describe('the image of the provider', () => {
  let folder: string;
  beforeAll(() => {
    folder = image('provider');
  }, 120_000);

  test('holds every command, and nothing that only development needs', () => {
    expect(COMMANDS).toEqual(expect.arrayContaining(['audit', 'clients', 'keys', 'members', 'staff']));
    expect(readdirSync(join(folder, 'scripts')).sort()).toEqual([...COMMANDS, 'command.sh', 'node24.mjs'].sort());
    for (const path of [
      'test',
      'examples',
      'docs',
      'node_modules/jest',
      'node_modules/node',
      'node_modules/playwright-core',
    ])
      expect([path, existsSync(join(folder, path))]).toEqual([path, false]);
  });

  const type = (name: string, args: readonly string[], env: Readonly<Record<string, string | undefined>> = clean) =>
    spawnSync(join(folder, 'scripts', name), args, { cwd: tmpdir(), env, encoding: 'utf8' });

  test.each(COMMANDS)('tells how %s is used', (name) => {
    const { status, stdout, stderr } = type(name, ['--help']);
    expect([status, stderr, stdout]).toEqual([0, '', expect.stringContaining(`Usage: scripts/${name}`)]);
  });

  (STORE_PAIRS[1].available ? test : test.skip)(
    'serves in production, tells that it is well, is well for its own health check, and writes nothing into itself',
    async () => {
      const before = listing(folder);
      const { mongoUri, redisUrl } = await freshServers();
      const port = await freePort();
      const env = {
        ...clean,
        ...{ NODE_ENV: 'production', ISSUER: 'https://login.example.org', PORT: String(port), DRAIN_SECONDS: '0' },
        ...{ MONGODB_URI: mongoUri, REDIS_URL: redisUrl, COOKIE_KEYS: secret(), KEY_ENCRYPTION_KEY: secret() },
        ...{ PASSWORD_PEPPER: secret(), ROSTER_KEY: secret() },
      };
      const [program = '', ...args]: string[] = JSON.parse(lastOf('provider', 'CMD') ?? '');
      const child = spawn(program, args, { cwd: folder, env });
      let output = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
      const ended = new Promise((resolve) => child.once('exit', resolve));
      while ((await statusOf(`http://localhost:${port}/health/ready`)) !== 200) {
        if (child.exitCode !== null) throw new Error(output);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const discovery = await fetch(`http://localhost:${port}/.well-known/openid-configuration`);
      expect(await discovery.json()).toMatchObject({ issuer: 'https://login.example.org' });
      expect((await fetch(`http://localhost:${port}/help`)).status).toBe(200);

      const [, ...check]: string[] = JSON.parse(
        /CMD (\[.*\])$/.exec(lastOf('provider', 'HEALTHCHECK') ?? '')?.[1] ?? '[]',
      );
      const isWell = () => spawnSync(process.execPath, check, { cwd: folder, env }).status;
      expect(isWell()).toBe(0);
      const listed = type('clients', ['list', '--json'], env);
      expect([listed.status, listed.stderr]).toEqual([0, '']);

      child.kill('SIGTERM');
      expect(await ended).toBe(0);
      expect(isWell()).toBe(1);
      expect(listing(folder)).toEqual(before);
    },
    60_000,
  );
});

test('the image with the sample portal starts with nothing else, and keeps its data where it is told', async () => {
  const folder = image('sample');
  const before = listing(folder);
  const [port, portalPort] = [await freePort(), await freePort()];
  const dataDir = mkdtempSync(join(tmpdir(), 'image-data-'));
  folders.push(dataDir);
  const env = {
    ...clean,
    NODE_ENV: 'development',
    DATA_DIR: dataDir,
    PORT: String(port),
    PORTAL_PORT: String(portalPort),
  };
  const child = spawn('node', ['src/main.ts'], { cwd: folder, env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  while (!output.includes('Sign in as')) {
    if (child.exitCode !== null) throw new Error(output);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(await statusOf(`http://localhost:${portalPort}/`)).toBe(200);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(listing(folder)).toEqual(before);
}, 60_000);
