import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { freePort } from '../servers.mjs';
import { ready } from './contenders.ts';

/** Seconds from typing `npm start` until the provider says that it is ready; the middle of three. */
export async function timeToReady(settings: Readonly<Record<string, string>>): Promise<number> {
  const times: number[] = [];
  for (let time = 0; time < 3; time += 1) {
    const port = await freePort();
    const began = performance.now();
    const child = spawn('npm', ['start'], {
      ...{ cwd: resolve(import.meta.dirname, '../..'), stdio: 'ignore', detached: true },
      env: { ...process.env, ...settings, PORT: String(port) },
    });
    const gone = new Promise((ended) => child.once('exit', ended));
    await ready(child, `http://localhost:${port}`, '/health/ready');
    times.push((performance.now() - began) / 1000);
    // npm and what it has begun.
    process.kill(-Number(child.pid), 'SIGTERM');
    await gone;
  }
  return times.toSorted((a, b) => a - b)[1] ?? Number.NaN;
}
