import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { freePort } from '../../scripts/servers.mjs';
import { MEMBER, ROOT } from '../support/provider.ts';
import { Visitor } from '../support/visitor.ts';

/** `npm start` as a person types it, in a folder of its own for data. */
describe('npm start', () => {
  let dataDir: string;
  const running: ChildProcess[] = [];
  beforeEach(() => {
    dataDir = join(mkdtempSync(join(tmpdir(), 'start-')), 'data');
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map(stop));
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function start(env: Record<string, string> = {}, node = process.execPath) {
    const [port, portalPort] = [await freePort(), await freePort()];
    const { NODE_OPTIONS: _, NODE_ENV: __, JEST_WORKER_ID: ___, ...clean } = process.env;
    const settings = { DATA_DIR: dataDir, PORT: String(port), PORTAL_PORT: String(portalPort), ...env };
    const child = spawn(node, ['scripts/start.mjs'], { cwd: ROOT, env: { ...clean, ...settings } });
    running.push(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    return {
      ...{
        child,
        ended,
        issuer: `http://localhost:${settings.PORT}`,
        portal: `http://localhost:${settings.PORTAL_PORT}`,
      },
      output: () => output,
      ready: () =>
        new Promise<void>((resolve, reject) => {
          child.stdout.on('data', () => output.includes('Sign in as') && resolve());
          child.once('exit', () => reject(new Error(output)));
        }),
    };
  }

  const signIn = async (issuer: string, portal: string) => {
    const visitor = new Visitor();
    const page = await visitor.go(`${portal}/login`, 'http://localhost');
    const back = await visitor.submit(page, MEMBER, 'http://localhost');
    expect(page.url).toContain(issuer);
    const profile = await visitor.fetch(`${portal}/profile`);
    return { back, sub: /sub<\/th><td>([^<]+)/.exec(profile.body)?.[1] };
  };

  test('says where to click and whom to sign in as, and it is true; the second start keeps what the first stored', async () => {
    const subs: (string | undefined)[] = [];
    const keys: string[] = [];
    for (let time = 0; time < 2; time += 1) {
      const { child, ended, issuer, portal, ready, output } = await start();
      await ready();
      expect(output()).toContain(`Open ${portal} and choose "Sign in"`);
      expect(output()).toContain(`Sign in as ${MEMBER.username} with the password ${MEMBER.password}`);
      const { back, sub } = await signIn(issuer, portal);
      expect(back.body).toContain('Welcome, Sample');
      subs.push(sub);
      keys.push((await new Visitor().fetch(`${issuer}/jwks`)).body);
      child.kill('SIGTERM');
      expect(await ended).toBe(0);
    }
    expect(subs[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(subs[1]).toBe(subs[0]);
    expect(keys[1]).toBe(keys[0]);
  });

  test('goes on with a sign-in that was under way when it was restarted', async () => {
    const first = await start({ PORTAL_PORT: '0' });
    await first.ready();
    const visitor = new Visitor();
    const ask = new URLSearchParams({
      ...{ client_id: 'member-portal', redirect_uri: 'http://localhost:3001/callback', response_type: 'code' },
      ...{ scope: 'openid', code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' },
    });
    const page = await visitor.go(`${first.issuer}/auth?${ask}`, first.issuer);
    expect(page.body).toContain('id="password"');
    first.child.kill('SIGTERM');
    await first.ended;
    const second = await start({ PORT: new URL(first.issuer).port, PORTAL_PORT: '0' });
    await second.ready();
    const back = await visitor.submit(page, MEMBER, first.issuer);
    expect(back.url).toMatch(/^http:\/\/localhost:3001\/callback\?code=/);
  });

  const fails = async (env: Record<string, string>, words: string) => {
    const { ended, output } = await start(env);
    expect(await ended).toBe(1);
    expect(output()).toContain(words);
    expect(output()).not.toMatch(/\n\s+at /);
    return output();
  };

  test.each(['PORT', 'PORTAL_PORT'])('with its %s taken says so and writes nothing', async (setting) => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, () => resolve()));
    const { port } = other.address() as AddressInfo;
    await fails({ [setting]: String(port) }, `Port ${port} is taken. Stop the program that uses it, or set ${setting}`);
    expect(existsSync(dataDir)).toBe(false);
    await new Promise((resolve) => other.close(resolve));
  });

  test('with bad settings says all of them and writes nothing', async () => {
    const output = await fails({ PORT: 'x', LOG_LEVEL: 'y' }, 'The settings are not usable');
    expect(output).toContain('LOG_LEVEL');
    expect(existsSync(dataDir)).toBe(false);
  });

  test('with a data folder that is a file says so', async () => {
    writeFileSync(dataDir, 'I am a file');
    await fails({}, `The data folder ${dataDir} cannot be used`);
  });

  test('with a store file that is none says so', async () => {
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, 'store.sqlite'), 'not a database, but long enough to look like one'.repeat(100));
    await fails({}, `The data folder ${dataDir} cannot be used`);
  });

  test('with secrets that are damaged says so', async () => {
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, 'development-secrets.json'), '{"cookieKeys":');
    await fails({}, `The data folder ${dataDir} cannot be used`);
  });

  test('with a client that is no good says which and why, and stores none', async () => {
    const path = join(tmpdir(), `clients-${process.pid}.json`);
    writeFileSync(path, JSON.stringify([{ client_id: 'no-good', redirect_uris: ['not a uri'], client_secret: 'x' }]));
    await fails({ CLIENTS_FILE: path }, 'CLIENTS_FILE: client no-good: redirect_uris');
  });

  test('with two members of one number says which', async () => {
    const path = join(tmpdir(), `members-${process.pid}.json`);
    const member = JSON.parse(readFileSync(join(ROOT, 'config/members.dev.json'), 'utf8'))[0];
    writeFileSync(path, JSON.stringify([member, { ...member, username: 'twin', email: 'twin@example.com' }]));
    await fails(
      { MEMBERS_FILE: path },
      'MEMBERS_FILE: twin: the email or the member number belongs to another account',
    );
  });

  test('with bad rows in ROSTER_FILE says all of them', async () => {
    const path = join(tmpdir(), `roster-${process.pid}.csv`);
    const header = 'member_number,first_name,last_name,birth_date,postal_code';
    writeFileSync(path, `${header}\nN-1,Sample,Person,1964-02-30,97202\nN-2,Sample,Person\n`);
    const output = await fails({ ROSTER_FILE: path }, `ROSTER_FILE: ${path}: line 2: birth_date is a day`);
    expect(output).toContain(`ROSTER_FILE: ${path}: line 3: the line has 3 columns`);
    writeFileSync(path, 'N-1,Sample\n');
    await fails({ ROSTER_FILE: path }, `ROSTER_FILE: ${path}: The first line must name the columns`);
  });

  test('with a store that other secrets have sealed says so', async () => {
    const { child, ended, ready } = await start();
    await ready();
    child.kill('SIGTERM');
    await ended;
    rmSync(join(dataDir, 'development-secrets.json'));
    await fails({}, 'KEY_ENCRYPTION_KEY: is not the one');
  });

  test('with servers that do not answer says so', async () => {
    const nobody = await freePort();
    await fails(
      { MONGODB_URI: `mongodb://127.0.0.1:${nobody}/x`, REDIS_URL: `redis://127.0.0.1:${nobody}` },
      'does not answer',
    );
  });

  test.each([
    ['in the project', ROOT, 'npm start'],
    ['in a copy without packages', tmpdir(), 'npm ci'],
  ])('on an older Node %s says how to come to the right one', async (_, root, advice) => {
    const scripts = join(root, `scripts-${process.pid}`);
    mkdirSync(scripts);
    cpSync(join(ROOT, 'scripts/node24.mjs'), join(scripts, 'node24.mjs'));
    const fake = join(scripts, 'old-node.mjs');
    writeFileSync(
      fake,
      `Object.defineProperty(process.versions, 'node', { value: '20.19.0' });
       const { demandNode24 } = await import('./node24.mjs');
       demandNode24();`,
    );
    const child = spawn(process.execPath, [fake]);
    let output = '';
    child.stderr.on('data', (chunk) => (output += chunk));
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(1);
    expect(output).toContain(advice);
    rmSync(scripts, { recursive: true });
  });

  test('leaves no half-written file behind', async () => {
    const { child, ended, ready } = await start();
    await ready();
    child.kill('SIGTERM');
    await ended;
    expect(readdirSync(dataDir).sort()).toEqual(['development-secrets.json', 'store.sqlite']);
  });
});

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}
