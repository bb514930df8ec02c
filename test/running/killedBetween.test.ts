import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as openid from 'openid-client';
import { freePort } from '../../scripts/servers.mjs';
import { ask, type } from '../support/command.ts';
import { MEMBER } from '../support/provider.ts';
import { openRedisTap } from '../support/redisTap.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { type StartedProcess, startProcess } from '../support/startedProcess.ts';
import { freshServers, STORE_PAIRS } from '../support/stores.ts';

/** What Redis is told at this point. */
const command = (key: string, value = '') => new RegExp(`\\r\\neval(?:sha)?\\r\\n[^]*\\r\\n${key}[^]*${value}`, 'i');

(STORE_PAIRS[1].available ? describe : describe.skip)('a process that is killed before it answers', () => {
  const folder = mkdtempSync(join(tmpdir(), 'killed-'));
  let env: Record<string, string>;
  let tap: Awaited<ReturnType<typeof openRedisTap>>;
  let node: StartedProcess;
  let other: StartedProcess | undefined;
  let app: RelyingParty;
  beforeAll(async () => {
    const { mongoUri, redisUrl } = await freshServers();
    tap = await openRedisTap(redisUrl);
    const CLIENTS_FILE = join(folder, 'clients.json');
    writeFileSync(CLIENTS_FILE, JSON.stringify([webClient()]));
    env = {
      ...{ MONGODB_URI: mongoUri, REDIS_URL: tap.url, DATA_DIR: join(folder, 'data'), CLIENTS_FILE },
      ...{ PORT: String(await freePort()), PORTAL_PORT: '0' },
    };
    node = await startProcess(env);
    await node.ready();
    app = await RelyingParty.discover(node.issuer);
    // Once the whole way: Redis then knows every script by its digest.
    const started = await app.start();
    const { refresh_token } = await app.redeem(
      (await signIn(new Visitor(), node.issuer, started, MEMBER)).url,
      started,
    );
    await openid.refreshTokenGrant(app.config, String(refresh_token));
  }, 60_000);
  afterAll(async () => {
    await Promise.all([node.stop(), other?.stop()]);
    tap.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Lets this be asked, kills the process at that point, sees that no answer came, and starts another one. */
  async function killedAt(pattern: RegExp, asked: () => Promise<unknown>): Promise<void> {
    tap.when(pattern, () => void node.child.kill('SIGKILL'));
    const answer = await asked().then(
      (got) => ({ got }),
      () => undefined,
    );
    expect(answer).toBeUndefined();
    expect([await node.ended, node.child.signalCode]).toEqual([null, 'SIGKILL']);
    node = await startProcess(env);
    await node.ready();
  }

  const stepsOnRecord = async () => {
    const { stdout } = await type(['audit', 'export', '--action', 'step.password'], env);
    return stdout.split('\n').filter((line) => line.includes('"outcome":"done"')).length;
  };

  test.each([
    { point: 'the attempt was counted', pattern: command('tries:'), after: 'types the password again' },
    { point: 'the password was found right', pattern: command('journey:', '"password":'), after: 'is in' },
    { point: 'the session was made', pattern: command('Session:', 'loginTs'), after: 'goes back to the app' },
    { point: 'the code for the app was made', pattern: command('AuthorizationCode:'), after: 'goes back to the app' },
  ])('when $point: the member opens the page again and $after', async ({ pattern, after }) => {
    const visitor = new Visitor();
    let started = await app.start();
    const page = await visitor.go(started.url, node.issuer);
    const before = await stepsOnRecord();
    await killedAt(pattern, () => visitor.submit(page, MEMBER, node.issuer));
    let end = await visitor.go(page.url, node.issuer);
    if (after === 'types the password again') {
      end = await visitor.submit(end, MEMBER, node.issuer);
    } else if (after === 'goes back to the app') {
      // What the browser never heard of is of no use to it; the page says so and leads back.
      expect([end.status, end.body.includes('href="https://app.example/"')]).toEqual([410, true]);
      started = await app.start();
      end = await signIn(visitor, node.issuer, started, MEMBER);
    }
    expect((await app.redeem(end.url, started)).claims()?.amr).toEqual(['pwd']);
    // Each time the password was right is on record, once.
    expect((await stepsOnRecord()) - before).toBe(after === 'goes back to the app' ? 2 : 1);
  });

  test('when the code was spent: it opens nothing any more, and the app gets another without a page', async () => {
    const visitor = new Visitor();
    const started = await app.start();
    const { url } = await signIn(visitor, node.issuer, started, MEMBER);
    await killedAt(command('AuthorizationCode:'), () => app.redeem(url, started));
    await expect(app.redeem(url, started)).rejects.toMatchObject({ error: 'invalid_grant' });
    const anew = await app.start();
    const back = await visitor.go(anew.url, node.issuer);
    expect((await app.redeem(back.url, anew)).claims()?.amr).toEqual(['pwd']);
  });

  test('when a refresh token was spent: the app asks another node, and gets its successor', async () => {
    // It runs already: a successor is there for ten seconds, as for every race of an app with itself.
    other = await startProcess({ ...env, PORT: String(await freePort()), ISSUER: node.issuer });
    await other.ready();
    const { client_id, client_secret } = webClient();
    const authorization = `Basic ${btoa(`${client_id}:${encodeURIComponent(client_secret)}`)}`;
    const started = await app.start();
    const tokens = await app.redeem((await signIn(new Visitor(), node.issuer, started, MEMBER)).url, started);
    tap.when(command('RefreshToken:'), () => void node.child.kill('SIGKILL'));
    await expect(openid.refreshTokenGrant(app.config, String(tokens.refresh_token))).rejects.toBeDefined();
    expect([await node.ended, node.child.signalCode]).toEqual([null, 'SIGKILL']);
    const refreshed = async (refresh_token: unknown) => {
      const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: String(refresh_token) });
      const answer = await fetch(`${other?.issuer}/token`, { method: 'POST', body, headers: { authorization } });
      return (await answer.json()) as Record<string, unknown>;
    };
    const successor = await refreshed(tokens.refresh_token);
    expect(successor).toMatchObject({ access_token: expect.any(String), refresh_token: expect.any(String) });
    expect(successor.refresh_token).not.toBe(tokens.refresh_token);
    expect(await refreshed(successor.refresh_token)).toHaveProperty('access_token');
  });

  test('leaves a record that is whole', async () => {
    expect(await ask<object>(['audit', 'verify'], env)).toMatchObject({ intact: true, faults: 0 });
  });
});
