import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../scripts/servers.mjs';
import { ROOT } from './provider.ts';

/** The provider as `npm start` runs it, in a process of its own. */
export interface StartedProcess {
  readonly child: ChildProcess;
  readonly issuer: string;
  readonly portal: string;
  /** Its exit code, once it has one. */
  readonly ended: Promise<number | null>;
  /** What it has printed so far. */
  output(): string;
  /** Resolves when it is ready for requests; rejects with what it printed when it ends instead. */
  ready(): Promise<void>;
  /** Ends it, if it still runs, and throws its data away. */
  stop(): Promise<void>;
}

/** `root`: the folder of another version of it. */
export async function startProcess(
  env: Readonly<Record<string, string>> = {},
  root: string = ROOT,
): Promise<StartedProcess> {
  const dataDir = mkdtempSync(join(tmpdir(), 'process-'));
  const [port, portalPort] = [await freePort(), await freePort()];
  const { NODE_OPTIONS: _, NODE_ENV: __, JEST_WORKER_ID: ___, ...clean } = process.env;
  const settings = { DATA_DIR: dataDir, PORT: String(port), PORTAL_PORT: String(portalPort), ...env };
  const child = spawn(process.execPath, ['scripts/start.mjs'], { cwd: root, env: { ...clean, ...settings } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const issuer = `http://localhost:${settings.PORT}`;
  return {
    ...{ child, issuer, portal: `http://localhost:${settings.PORTAL_PORT}`, ended },
    output: () => output,
    async ready() {
      while ((await statusOf(`${issuer}/health/ready`)) !== 200) {
        if (child.exitCode !== null) throw new Error(output);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async stop() {
      child.kill('SIGKILL');
      await ended;
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** The status of an address, or why there is none, such as ECONNREFUSED. */
export const statusOf = (url: string): Promise<number | string> =>
  fetch(url, { headers: { connection: 'close' } }).then(
    ({ status }) => status,
    ({ cause }) => String(cause?.code),
  );

/** The process ids of the workers that a process has begun. */
export const workersOf = ({ pid }: ChildProcess): number[] =>
  spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter(Boolean)
    .map(Number);
