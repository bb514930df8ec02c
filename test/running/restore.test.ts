import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createConnection } from 'mongoose';
import * as openid from 'openid-client';
import { freePort, startMongo, startRedis } from '../../scripts/servers.mjs';
import { ask, type } from '../support/command.ts';
import { MEMBER, OTHER_MEMBER } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { type StartedProcess, startProcess } from '../support/startedProcess.ts';
import { within } from '../support/within.ts';

const { TEST_MONGOD = '', TEST_REDIS_SERVER = '' } = process.env;

(TEST_MONGOD === '' || TEST_REDIS_SERVER === '' ? describe.skip : describe)('a restore from a back-up', () => {
  const folder = mkdtempSync(join(tmpdir(), 'restore-'));
  let mongo: Awaited<ReturnType<typeof startMongo>>;
  let redis: Awaited<ReturnType<typeof startRedis>>;
  let env: Record<string, string>;
  let node: StartedProcess;
  beforeAll(async () => {
    [mongo, redis] = await Promise.all([startMongo(TEST_MONGOD), startRedis(TEST_REDIS_SERVER)]);
    const CLIENTS_FILE = join(folder, 'clients.json');
    writeFileSync(CLIENTS_FILE, JSON.stringify([webClient()]));
    const PORT = String(await freePort());
    env = {
      ...{ MONGODB_URI: `${mongo.uri}/restore`, REDIS_URL: redis.uri, DATA_DIR: join(folder, 'data'), CLIENTS_FILE },
      ...{ PORT, PORTAL_PORT: '0' },
    };
    node = await startProcess(env);
    await node.ready();
  }, 60_000);
  afterAll(async () => {
    await node.stop();
    await Promise.all([mongo.stop(), redis.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** As the servers' manuals say: MongoDB's files while it holds still, Redis's append-only file as it is. */
  async function backUp(): Promise<void> {
    const connection = await createConnection(`${mongo.uri}/admin`).asPromise();
    await connection.db?.command({ fsync: 1, lock: true });
    cpSync(mongo.directory, join(folder, 'mongo'), { recursive: true });
    await connection.db?.command({ fsyncUnlock: 1 });
    await connection.close();
    cpSync(redis.directory, join(folder, 'redis'), { recursive: true });
  }

  async function restore(): Promise<void> {
    await Promise.all([mongo.stop(), redis.stop()]);
    [mongo, redis] = await Promise.all([
      startMongo(TEST_MONGOD, { port: mongo.port, directory: join(folder, 'mongo') }),
      startRedis(TEST_REDIS_SERVER, { port: redis.port, directory: join(folder, 'redis') }),
    ]);
  }

  test('brings nobody back in, and the record of it is whole', async () => {
    const app = await RelyingParty.discover(node.issuer);
    const member = new Visitor();
    const started = await app.start();
    const tokens = await app.redeem((await signIn(member, node.issuer, started, MEMBER)).url, started);
    const isIn = async (visitor: Visitor) =>
      (await visitor.go((await app.start()).url, node.issuer)).url.includes('code=');
    const half = await app.start();
    const halfway = await new Visitor().go(half.url, node.issuer);

    await backUp();
    // What happens after it is lost: the member signs out, because somebody else had the computer.
    const thief = member.copy();
    const bye = openid.buildEndSessionUrl(app.config, { id_token_hint: String(tokens.id_token) });
    const page = await member.go(bye.href, node.issuer);
    if (page.status === 200) await member.submit(page, { logout: 'yes' }, node.issuer);
    expect(await isIn(thief.copy())).toBe(false);
    await expect(openid.refreshTokenGrant(app.config, String(tokens.refresh_token))).rejects.toBeDefined();

    await node.stop();
    await restore();
    // Without the step that the operations page asks for, the thief is in again.
    node = await startProcess(env);
    await node.ready();
    expect(await isIn(thief.copy())).toBe(true);

    const warned = await type(['sessions', 'end-all'], env);
    expect([warned.code, warned.stderr]).toEqual([2, expect.stringContaining('What it breaks')]);
    expect(await isIn(thief.copy())).toBe(true);
    await ask(['sessions', 'end-all', '--yes'], env);
    await within(7, async () => !(await isIn(thief.copy())));
    await expect(openid.refreshTokenGrant(app.config, String(tokens.refresh_token))).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    await expect(openid.fetchUserInfo(app.config, tokens.access_token, openid.skipSubjectCheck)).rejects.toBeDefined();
    // A sign-in that was under way then begins anew at the app.
    expect((await new Visitor().go(halfway.url, node.issuer)).status).toBe(410);

    // A process that starts knows it at once, and everybody can sign in anew.
    await node.stop();
    node = await startProcess(env);
    await node.ready();
    expect(await isIn(thief)).toBe(false);
    for (const one of [MEMBER, OTHER_MEMBER]) {
      const visitor = new Visitor();
      const anew = await app.start();
      const fresh = await app.redeem((await signIn(visitor, node.issuer, anew, one)).url, anew);
      expect(await isIn(visitor)).toBe(true);
      await openid.refreshTokenGrant(app.config, String(fresh.refresh_token));
    }

    expect(await ask<object>(['audit', 'verify'], env)).toMatchObject({ intact: true, faults: 0 });
    const ended = await type(['audit', 'export', '--action', 'sessions-ended'], env);
    expect(ended.stdout).toContain('"whose":"everybody"');
  }, 90_000);
});
