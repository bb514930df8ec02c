/**
 * The real servers that tests need: where they are found, how to get them, and how to start them. Looked for in the
 * environment first, then on PATH, then in the project's cache folder.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cache = fileURLToPath(new URL('../.cache/servers/', import.meta.url));

export const SERVERS = [
  { name: 'MongoDB', variable: 'TEST_MONGOD', programs: ['mongod'], cached: 'mongod' },
  { name: 'Redis', variable: 'TEST_REDIS_SERVER', programs: ['redis-server', 'valkey-server'], cached: 'redis-server' },
  {
    name: 'Chromium',
    variable: 'TEST_CHROMIUM',
    programs: ['chromium', 'chromium-browser', 'google-chrome'],
    cached: 'chromium',
  },
  { name: 'Python with Authlib', variable: 'TEST_PYTHON', programs: [], cached: 'python/bin/python' },
  { name: 'Schemathesis', variable: 'TEST_SCHEMATHESIS', programs: [], cached: 'schemathesis/bin/python' },
  { name: 'nginx', variable: 'TEST_NGINX', programs: ['nginx', '/usr/sbin/nginx'], cached: 'nginx' },
  { name: 'oathtool', variable: 'TEST_OATHTOOL', programs: ['oathtool'], cached: 'oathtool' },
];

/** Chromium without the windows, where there is one: it takes two thirds of the time to look at a page. */
export const HEADLESS_SHELL = {
  variable: 'TEST_HEADLESS_SHELL',
  programs: ['chromium-headless-shell'],
  cached: 'headless-shell',
};

/** What to type to get them all, on Debian or Ubuntu. */
export const HOW_TO_GET = 'bash scripts/get-servers.sh';

/** The program's path, or undefined. */
export function findServer({ variable, programs, cached }) {
  const given = process.env[variable];
  if (given) return given;
  for (const program of programs) {
    const found = spawnSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' });
    if (found.status === 0) return found.stdout.trim();
  }
  const path = join(cache, cached);
  return existsSync(path) ? path : undefined;
}

/** A port that was free a moment ago. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** @typedef {{ port?: number, directory?: string, settings?: readonly string[] }} Start */

/**
 * Starts `mongod`; resolves with its address and how to stop it, which also throws its data away.
 * @param {string} program @param {Start} start
 */
export async function startMongo(program, { port, directory, settings = [] } = {}) {
  return startServer(program, port, directory, 'mongodb', (at, data) => [
    ...['--port', String(at), '--bind_ip', '127.0.0.1', '--dbpath', data, '--quiet'],
    ...['--wiredTigerCacheSizeGB', '0.25', '--setParameter', 'diagnosticDataCollectionEnabled=false'],
    ...settings,
  ]);
}

/**
 * Starts `redis-server`, with its append-only file as in production.
 * @param {string} program @param {Start} start
 */
export async function startRedis(program, { port, directory, settings = [] } = {}) {
  return startServer(program, port, directory, 'redis', (at, data) => [
    ...['--port', String(at), '--bind', '127.0.0.1', '--dir', data, '--save', '', '--appendonly', 'yes'],
    // Written before the answer, and never held back for a disk that is busy: a process that is killed loses nothing that it has answered.
    ...['--appendfsync', 'no'],
    ...settings,
  ]);
}

/**
 * Starts a Redis Sentinel with these lines of configuration, which it writes on itself.
 * @param {string} program @param {readonly string[]} lines
 */
export async function startSentinel(program, lines) {
  const directory = mkdtempSync(join(tmpdir(), 'sentinel-'));
  const file = join(directory, 'sentinel.conf');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return startServer(program, undefined, directory, 'redis', (at) => [
    ...[file, '--sentinel', '--port', String(at), '--bind', '127.0.0.1', '--dir', directory],
  ]);
}

/**
 * Starts a server and waits until it can be reached.
 * @param {string} program @param {number | undefined} givenPort @param {string | undefined} givenDirectory @param {string} scheme
 * @param {(port: number, directory: string) => string[]} args
 */
export async function startServer(program, givenPort, givenDirectory, scheme, args) {
  const port = givenPort ?? (await freePort());
  const directory = givenDirectory ?? mkdtempSync(join(tmpdir(), `${scheme}-`));
  const child = spawn(program, args(port, directory), { stdio: 'ignore' });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  await reachable(port, child);
  return {
    uri: `${scheme}://127.0.0.1:${port}`,
    port,
    directory,
    pid: child.pid,
    /**
     * Ends the server, at once but for another signal. With `keep`, its data stays for the next start.
     * @param {{ keep?: boolean, signal?: NodeJS.Signals }} how
     */
    async stop({ keep = false, signal = 'SIGKILL' } = {}) {
      child.kill(signal);
      await gone;
      if (!keep) rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function reachable(port, child) {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended with code ${child.exitCode}`);
    if (await answers(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${child.spawnfile} does not answer on port ${port}`);
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
