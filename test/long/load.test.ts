import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { freePort } from '../../scripts/servers.mjs';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { ROOT } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { freshServers, STORE_PAIRS, type StorePair } from '../support/stores.ts';
import type { Load, ToLoad, Told } from './signInLoad.ts';

/** Seconds of each round; the first warms up and does not count. */
const ROUNDS = [3, 10, 10, 10];
const TOKENS_A_SECOND = 25;
/** As many as have a place or a place in the queue on two cores, and ten more. */
const BROWSERS = 28;
/** More than the browsers can use up. */
const PAGES_A_SECOND = 200;
const CLIENT = webClient({ token_endpoint_auth_method: 'client_secret_post' });
const MEMBERS = Array.from({ length: 20 }, (_, i) => ({
  ...{ username: `member.${i}`, password: 'a calm walk by the lake', memberNumber: `T${i}` },
  ...{ email: `member.${i}@example.com`, phone: '+12025550100', firstName: 'Sample', lastName: 'Member' },
  ...{ birthDate: '1951-03-14', postalCode: '97201' },
}));

describeOnEveryStore('a saturating load of sign-ins', (pair) => {
  test('leaves the p99 of tokens within twice its idle value, and is refused beyond the queue', async () => {
    const { issuer, stop } = await startAlone(pair);
    const times = { idle: [] as number[], loaded: [] as number[] };
    const answers: Told[] = [];
    try {
      const app = await RelyingParty.discover(issuer, CLIENT);
      const sessions = await openSessions(app, issuer);
      const load = await startLoad(issuer);
      for (const [round, seconds] of ROUNDS.entries()) {
        await load.openPages(round, PAGES_A_SECOND * seconds);
        const idle = await refreshAll(issuer, sessions, seconds);
        load.begin();
        const loaded = await refreshAll(issuer, sessions, seconds);
        const { told, pagesLeft } = await load.end();
        expect(pagesLeft).toBeGreaterThan(0);
        if (round === 0) continue;
        times.idle.push(...idle);
        times.loaded.push(...loaded);
        answers.push(...told);
      }
      load.stop();
    } finally {
      await stop();
    }
    const of = (...statuses: number[]) => answers.filter(({ status }) => statuses.includes(status));
    const ratio = percentile(times.loaded, 99) / percentile(times.idle, 99);
    const told = (list: number[]) => [50, 99, 100].map((p) => percentile(list, p).toFixed(1)).join(' / ');
    const aSecond = (of(303, 401).length * TOKENS_A_SECOND) / times.loaded.length;
    console.info(
      `${pair.name}: tokens p50 / p99 / slowest ${told(times.idle)} ms idle, ${told(times.loaded)} ms loaded, ratio of p99 ${ratio.toFixed(2)}; ${aSecond.toFixed(0)} passwords a second, ${of(303).length} right, ${of(401).length} wrong, ${of(503).length} refused`,
    );
    expect(of(303, 401, 503)).toHaveLength(answers.length);
    for (const status of [303, 401, 503]) expect(of(status).length).toBeGreaterThan(0);
    expect(of(503).filter(({ retryAfter }) => retryAfter === null)).toEqual([]);
    expect(ratio).toBeLessThanOrEqual(2);
  });
});

/** A provider in a process of its own, so that who measures does not wait for its work. */
async function startAlone(pair: StorePair) {
  const folder = mkdtempSync(join(tmpdir(), 'load-'));
  const file = (name: string, content: readonly object[]) => {
    writeFileSync(join(folder, name), JSON.stringify(content));
    return join(folder, name);
  };
  const port = String(await freePort());
  const servers = pair === STORE_PAIRS[0] ? undefined : await freshServers();
  const { NODE_OPTIONS: _, NODE_ENV: __, ...clean } = process.env;
  const env = {
    ...{ ...clean, PORT: port, PORTAL_PORT: '0', DATA_DIR: join(folder, 'data'), LOG_LEVEL: 'info' },
    ...{ CLIENTS_FILE: file('clients.json', [CLIENT]), MEMBERS_FILE: file('members.json', MEMBERS) },
    ...{ TRUSTED_PROXIES: '127.0.0.1, ::1' },
    ...(servers === undefined ? {} : { MONGODB_URI: servers.mongoUri, REDIS_URL: servers.redisUrl }),
  };
  const child = spawn(process.execPath, ['src/main.ts'], { cwd: ROOT, env, stdio: ['ignore', 'ignore', 'inherit'] });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const issuer = `http://localhost:${port}`;
  const ready = () =>
    fetch(`${issuer}/jwks`)
      .then(({ ok }) => ok)
      .catch(() => false);
  while (!(await ready())) {
    if (child.exitCode !== null) throw new Error('the provider did not start');
    await delay(50);
  }
  const stop = async () => {
    child.kill('SIGTERM');
    await gone;
    rmSync(folder, { recursive: true });
  };
  return { issuer, stop };
}

/** The refresh token of each member, one after the other so that nobody is refused. */
async function openSessions(app: RelyingParty, issuer: string): Promise<Promise<string>[]> {
  const tokens: Promise<string>[] = [];
  for (const member of MEMBERS) {
    const started = await app.start();
    const { refresh_token } = await app.redeem((await signIn(new Visitor(), issuer, started, member)).url, started);
    tokens.push(Promise.resolve(String(refresh_token)));
  }
  return tokens;
}

/** Refreshes at a fixed rate. A time counts from when the request was due, also where it could not be sent by then. */
function refreshAll(issuer: string, sessions: Promise<string>[], seconds: number): Promise<number[]> {
  const began = performance.now();
  const refresh = async (refresh_token: string): Promise<string> => {
    const { client_id, client_secret } = CLIENT;
    const body = new URLSearchParams({ client_id, client_secret, grant_type: 'refresh_token', refresh_token });
    const answer = await fetch(`${issuer}/token`, { method: 'POST', body });
    expect(answer.status).toBe(200);
    return ((await answer.json()) as { refresh_token: string }).refresh_token;
  };
  const times = Array.from({ length: seconds * TOKENS_A_SECOND }, async (_, i) => {
    const due = began + (i * 1_000) / TOKENS_A_SECOND;
    await delay(due - performance.now());
    const n = i % sessions.length;
    const next = Promise.resolve(sessions[n] ?? '').then(refresh);
    sessions[n] = next;
    await next;
    return performance.now() - due;
  });
  return Promise.all(times);
}

/** The browsers, in a process of their own. */
async function startLoad(issuer: string) {
  const load: Load = { issuer, client: CLIENT, members: MEMBERS, browsers: BROWSERS };
  const child = fork(join(ROOT, 'test/long/signInLoad.ts'), [JSON.stringify(load)], { execArgv: ['--no-warnings'] });
  const heard = async (): Promise<unknown> => (await once(child, 'message'))[0];
  const tell = (message: ToLoad) => void child.send(message);
  await heard();
  return {
    async openPages(round: number, count: number) {
      tell({ open: count, round });
      await heard();
    },
    begin: () => tell('begin'),
    async end() {
      tell('end');
      return (await heard()) as { readonly told: readonly Told[]; readonly pagesLeft: number };
    },
    stop: () => void child.kill(),
  };
}

function percentile(list: readonly number[], p: number): number {
  return list.toSorted((x, y) => x - y)[Math.ceil((list.length * p) / 100) - 1] ?? Number.NaN;
}
