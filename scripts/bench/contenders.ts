import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findServer, freePort, SERVERS, startMongo, startRedis } from '../servers.mjs';
import { APP, MEMBER_PASSWORD, memberName, SERVICE } from './clients.ts';

/** A provider in a process of its own. */
export interface Contender {
  readonly name: string;
  readonly issuer: string;
  readonly pid: number;
  readonly ours: boolean;
  /** How many members it knows. */
  readonly members: number;
  stop(): Promise<void>;
}

export interface Servers {
  readonly mongo: Awaited<ReturnType<typeof startMongo>>;
  readonly redis: Awaited<ReturnType<typeof startRedis>>;
}

const ROOT = resolve(import.meta.dirname, '../..');
const scratch = mkdtempSync(join(tmpdir(), 'bench-'));
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));

/** The real servers that both run on, fresh and empty. */
export async function startServers(): Promise<Servers> {
  const [mongo, redis] = await Promise.all([startMongo(programOf('MongoDB')), startRedis(programOf('Redis'))]);
  return { mongo, redis };
}

function programOf(wanted: string): string {
  const server = SERVERS.find(({ name }) => name === wanted);
  const program: string | undefined = server && findServer(server);
  if (program === undefined) throw new Error(`${wanted} was not found; get it by: bash scripts/get-servers.sh`);
  return program;
}

/** Settings of our provider on a database of its own, with one member, from whom others are made. */
export function settingsOf({ mongo, redis }: Servers, database: number): Record<string, string> {
  const folder = join(scratch, `ours-${database}`);
  mkdirSync(folder, { recursive: true });
  const file = (name: string, content: readonly object[]) => {
    writeFileSync(join(folder, name), JSON.stringify(content));
    return join(folder, name);
  };
  const clients = [APP, SERVICE].map((client) => ({
    ...{ ...client, first_party: true, client_uri: 'https://app.example/' },
  }));
  const member = {
    ...{ username: memberName(0), password: MEMBER_PASSWORD, email: `${memberName(0)}@example.com` },
    ...{ phone: '+12025550100', memberNumber: 'BENCH-0', firstName: 'Bench', lastName: 'Member' },
    ...{ birthDate: '1951-03-14', postalCode: '97201' },
  };
  return {
    ...{ MONGODB_URI: `${mongo.uri}/bench_${database}`, REDIS_URL: `${redis.uri}/${database}` },
    ...{ DATA_DIR: join(folder, 'data'), PORTAL_PORT: '0', LOG_LEVEL: 'info' },
    ...{ CLIENTS_FILE: file('clients.json', clients), MEMBERS_FILE: file('members.json', [member]) },
  };
}

/** Our provider, as `npm start` begins it. Logs what it logs in production, into nothing. */
export const startOurs = (
  name: string,
  settings: Readonly<Record<string, string>>,
  members: number,
  profile?: string,
): Promise<Contender> => start(name, 'scripts/start.mjs', settings, profile, { ours: true, members });

export const startBare = (
  name: string,
  { redis }: Servers,
  database: number,
  members: number,
  profile?: string,
): Promise<Contender> =>
  start(name, 'scripts/bench/bare.ts', { REDIS_URL: `${redis.uri}/${database}` }, profile, { ours: false, members });

async function start(
  name: string,
  script: string,
  settings: Readonly<Record<string, string>>,
  profile: string | undefined,
  about: Pick<Contender, 'ours' | 'members'>,
): Promise<Contender> {
  const port = await freePort();
  const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(profile, name)}`];
  const workers = Number(settings.WORKERS ?? 1);
  const child = spawn(process.execPath, [...profiling, script], {
    ...{ cwd: ROOT, env: { ...process.env, ...settings, PORT: String(port) } },
    stdio: ['ignore', workers > 1 ? 'pipe' : 'ignore', 'inherit'],
  });
  const gone = new Promise((ended) => child.once('exit', ended));
  const issuer = `http://localhost:${port}`;
  if (workers > 1) await allServe(child, workers);
  await ready(child, issuer);
  return {
    ...{ name, issuer, pid: child.pid ?? 0, ...about },
    async stop() {
      // SIGINT ends both, and lets a profile be written.
      child.kill('SIGINT');
      await gone;
    },
  };
}

/** Resolves when each worker has said that it serves: the first alone answers before. */
async function allServe({ stdout }: ChildProcess, workers: number): Promise<void> {
  let output = '';
  const hear = (part: Buffer) => (output += part);
  stdout?.on('data', hear);
  while (output.split('a worker serves').length - 1 < workers && stdout?.readableEnded === false) await delay(10);
  stdout?.off('data', hear).resume();
}

/** Resolves when a process answers; rejects when it ends instead. */
export async function ready(child: ChildProcess, issuer: string, path = '/jwks'): Promise<void> {
  const answers = () =>
    fetch(`${issuer}${path}`, { headers: { connection: 'close' } }).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await answers())) {
    if (child.exitCode !== null) throw new Error(`a contender ended with code ${child.exitCode}`);
    await delay(10);
  }
}
