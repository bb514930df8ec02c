import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as openid from 'openid-client';
import { freePort } from '../../scripts/servers.mjs';
import { systemClock } from '../../src/adapters/systemClock.ts';
import { findBySignInName } from '../../src/core/account/account.ts';
import type { Stores } from '../../src/core/storage/stores.ts';
import { accountSet } from '../../src/oidc/adapter.ts';
import { openServerStores } from '../../src/stores/open.ts';
import { recorded } from '../support/audit.ts';
import { ask } from '../support/command.ts';
import { startReplicaSet } from '../support/mongoReplicas.ts';
import { NGINX, type Nginx, startNginx } from '../support/nginx.ts';
import { type RedisForm, startCluster } from '../support/redisForms.ts';
import { RelyingParty, Visitor, webClient } from '../support/relyingParty.ts';
import { type StartedProcess, startProcess } from '../support/startedProcess.ts';
import type { Answer } from '../support/visitor.ts';

const { TEST_MONGOD = '', TEST_REDIS_SERVER = '' } = process.env;

/** Sign-ins that are under way in each case; so many of them are answered at once. */
const SIGN_INS = 1_000;
/** One node hashes two of them and lets sixteen wait: what members see is what was killed, and not a queue that is full. */
const AT_ONCE = 16;
/** Something is killed when so many of them have arrived. */
const KILL_AFTER = 300;

const MEMBERS = Array.from({ length: SIGN_INS }, (_, i) => ({
  ...{ username: `member.${i}`, password: 'a calm walk by the lake', memberNumber: `T${i}` },
  ...{ email: `member.${i}@example.com`, phone: '+12025550100', firstName: 'Sample', lastName: 'Member' },
  ...{ birthDate: '1951-03-14', postalCode: '97201' },
}));
type Member = (typeof MEMBERS)[number];
type Tokens = Awaited<ReturnType<RelyingParty['redeem']>>;

/** One sign-in, with all that went wrong on its way. */
interface Walk {
  readonly member: Member;
  readonly visitor: Visitor;
  readonly tokens: Tokens;
  /** Pages that said that it does not work right now. */
  readonly sorry: number;
  /** Times that the member or the app had to begin anew. */
  readonly anew: number;
  /** Codes whose answer never came. */
  readonly unanswered: readonly { readonly url: string; readonly started: Started }[];
}
type Started = Awaited<ReturnType<RelyingParty['start']>>;

const available = TEST_MONGOD !== '' && TEST_REDIS_SERVER !== '' && NGINX !== '';

(available ? describe : describe.skip)('three nodes, three MongoDB members and a Redis Cluster of three', () => {
  const folder = mkdtempSync(join(tmpdir(), 'three-'));
  const nodes: StartedProcess[] = [];
  let mongo: Awaited<ReturnType<typeof startReplicaSet>>;
  let redis: RedisForm;
  let proxy: Nginx;
  let env: Record<string, string>;
  let stores: Stores;
  let app: RelyingParty;
  let lastTrouble = 0;

  beforeAll(async () => {
    [mongo, redis] = await Promise.all([startReplicaSet(TEST_MONGOD), startCluster(TEST_REDIS_SERVER, 1)]);
    const file = (name: string, content: readonly object[]) => {
      writeFileSync(join(folder, name), JSON.stringify(content));
      return join(folder, name);
    };
    const ports = [await freePort(), await freePort(), await freePort()];
    proxy = await startNginx(ports);
    env = {
      ...{ MONGODB_URI: mongo.uri('three'), REDIS_URL: redis.url, ISSUER: proxy.url, DATA_DIR: folder },
      ...{ CLIENTS_FILE: file('clients.json', [webClient()]), MEMBERS_FILE: file('members.json', MEMBERS) },
      ...{ PORTAL_PORT: '0', TRUSTED_PROXIES: '127.0.0.1, ::1, ::ffff:127.0.0.1' },
    };
    for (const port of ports) nodes.push(await begin(port));
    stores = await openServerStores(mongo.uri('three'), redis.url, systemClock, () => undefined);
    app = await RelyingParty.discover(proxy.url);
  }, 300_000);
  afterAll(async () => {
    await proxy?.close();
    await stores?.close();
    await Promise.all(nodes.map((node) => node.stop()));
    await Promise.all([mongo?.stop(), redis?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  async function begin(port: number): Promise<StartedProcess> {
    const node = await startProcess({ ...env, PORT: String(port) });
    await node.ready();
    return node;
  }

  test.each([
    {
      what: 'a node',
      async kill() {
        const [node] = nodes as [StartedProcess];
        node.child.kill('SIGKILL');
        await node.ended;
        return async () => {
          nodes[0] = await begin(Number(new URL(node.issuer).port));
        };
      },
    },
    {
      what: 'the MongoDB primary',
      async kill() {
        const primary = await mongo.primary();
        if (primary === undefined) throw new Error('there is no primary');
        await primary.stop({ keep: true });
        return () => mongo.restart(primary);
      },
    },
    {
      what: 'a Redis primary',
      async kill() {
        const [primary] = await redis.primaries();
        if (primary === undefined) throw new Error('there is no primary');
        await primary.stop({ keep: true });
        return async () => {
          await redis.restart(primary);
          await redis.whole();
        };
      },
    },
  ])(
    '$what is killed in the middle of 1,000 sign-ins: none is half-done, none that answered is lost, each goes on',
    async ({ what, kill }) => {
      const since = Date.now();
      // All of them are under way: everybody has the page on which to type the password.
      const open = await inTurn(MEMBERS, async (member, i) => {
        const visitor = new Visitor({ 'x-forwarded-for': `10.${i >> 8}.${i & 255}.${since % 250}` });
        const started = await app.start();
        return { member, visitor, started, page: await visitor.go(started.url, proxy.url) };
      });
      expect(open.filter(({ page }) => !page.body.includes('id="password"'))).toEqual([]);

      let arrived = 0;
      let killedAt = 0;
      let undo: Promise<() => Promise<void>> | undefined;
      lastTrouble = 0;
      const walks = await inTurn(open, async (one) => {
        const walk = await signInWhateverHappens(one);
        arrived += 1;
        if (arrived === KILL_AFTER) {
          killedAt = Date.now();
          undo = kill();
        }
        return walk;
      });
      const took = Date.now() - since;

      const interrupted = walks.filter(({ sorry, anew }) => sorry > 0 || anew > 0);
      const figures = {
        ...{ what, interrupted: interrupted.length, pagesThatSaidSo: sum(walks, ({ sorry }) => sorry) },
        ...{ begunAnew: sum(walks, ({ anew }) => anew), codesUnanswered: sum(walks, (walk) => walk.unanswered.length) },
        wellAfterMs: Math.max(0, lastTrouble - killedAt),
        allIn: `${Math.round(took / 1_000)} s`,
      };
      console.info(JSON.stringify(figures));
      expect(interrupted.length).toBeGreaterThan(0);
      expect(figures.wellAfterMs).toBeLessThan(30_000);

      await nothingIsLost(walks);
      await nothingIsHalfDone(walks, since);
      await (await undo)?.();
      const { intact } = await ask<{ intact: boolean }>(['audit', 'verify'], env);
      expect(intact).toBe(true);
    },
    600_000,
  );

  /** A member who does what the pages say, and an app that begins anew when it got no tokens. */
  async function signInWhateverHappens(begun: {
    member: Member;
    visitor: Visitor;
    started: Started;
    page: Answer;
  }): Promise<Walk> {
    const { member, visitor } = begun;
    let { started, page } = begun;
    let [sorry, anew] = [0, 0];
    const unanswered: { url: string; started: Started }[] = [];
    const again = async () => {
      anew += 1;
      lastTrouble = Date.now();
      started = await app.start();
      page = await visitor.go(started.url, proxy.url);
    };
    for (const until = Date.now() + 90_000; Date.now() < until; ) {
      if (page.url.startsWith('https://app.example/callback')) {
        expect(page.url).toContain('code=');
        try {
          return { member, visitor, tokens: await app.redeem(page.url, started), sorry, anew, unanswered };
        } catch {
          unanswered.push({ url: page.url, started });
          await delay(200);
          await again();
        }
      } else if (page.status === 503 || page.status === 502) {
        // A page in words, with a link that goes on.
        expect(page.body).toContain('Sign-in is not working right now');
        const link = /id="try-again"[^>]* href="([^"]*)"/.exec(page.body)?.[1];
        if (link === undefined) throw new Error(`no way on at ${page.url}`);
        sorry += 1;
        lastTrouble = Date.now();
        await delay(500);
        page = await visitor.go(new URL(link.replaceAll('&amp;', '&'), page.url).href, proxy.url);
      } else if (page.status === 410) {
        // "This sign-in page has expired", with a button back to the app.
        expect(page.body).toContain('https://app.example/');
        await again();
      } else if (page.body.includes('id="password"')) {
        page = await visitor.submit(page, member, proxy.url);
      } else throw new Error(`${page.status} at ${page.url}: ${page.body.slice(0, 500)}`);
    }
    throw new Error(`${member.username} did not get in: ${page.status} at ${page.url}`);
  }

  /** Sessions and tokens of every sign-in that answered still work. */
  async function nothingIsLost(walks: readonly Walk[]): Promise<void> {
    const lost: string[] = [];
    await inTurn(walks, async ({ member, visitor, tokens }) => {
      const miss = (what: string) => () => void lost.push(`${member.username}: ${what}`);
      await openid
        .fetchUserInfo(app.config, tokens.access_token, openid.skipSubjectCheck)
        .catch(miss('the access token is dead'));
      await openid.refreshTokenGrant(app.config, String(tokens.refresh_token)).catch(miss('the refresh token is dead'));
      const again = await visitor.go((await app.start()).url, proxy.url);
      if (!again.url.includes('code=')) miss('the session is gone')();
    });
    expect(lost).toEqual([]);
  }

  /** No session without its sign-in on record, and no code that was spent opens anything once more. */
  async function nothingIsHalfDone(walks: readonly Walk[], since: number): Promise<void> {
    const proven = new Map<string, number>();
    for (const { action, outcome, at, actor } of await recorded(stores)) {
      if (action !== 'step.password' || outcome !== 'done' || Date.parse(at) < since) continue;
      proven.set(String(actor?.id), (proven.get(String(actor?.id)) ?? 0) + 1);
    }
    const bad: string[] = [];
    await inTurn(walks, async ({ member, unanswered }) => {
      const id = String((await findBySignInName(stores.accounts, member.username))?.id);
      const found = await Promise.all(
        (await stores.expiring.members(accountSet('Session', id))).map((session) =>
          stores.expiring.get(`Session:${session}`),
        ),
      );
      const isNew = (value: { loginTs?: number } | undefined) => Number(value?.loginTs) * 1_000 >= since - 1_000;
      const sessions = found.filter((entry) => entry?.spentAt === undefined && isNew(entry?.value));
      if (sessions.length === 0 || sessions.length > (proven.get(id) ?? 0))
        bad.push(`${member.username}: ${sessions.length} sessions, ${proven.get(id)} sign-ins on record`);
      for (const { url, started } of unanswered) {
        const second = await app.redeem(url, started).then(
          () => 'answered',
          () => 'refused',
        );
        // Spent or not, it opens at most once, and only for the app.
        if (second === 'answered')
          await app.redeem(url, started).then(
            () => bad.push('a code twice'),
            () => undefined,
          );
      }
    });
    expect(bad).toEqual([]);
  }
});

const sum = <T>(list: readonly T[], of: (one: T) => number): number => list.reduce((all, one) => all + of(one), 0);

/** Does this with each, some at once; the answers stand in the same order. */
async function inTurn<T, Result>(
  list: readonly T[],
  work: (one: T, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < list.length; i = next++) results[i] = await work(list[i] as T, i);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}
