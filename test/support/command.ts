import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './provider.ts';

export interface Told {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command as a person types it, in some other folder. `input` comes from the standard input. */
export function type(line: readonly string[], env: Readonly<Record<string, string>>, input = ''): Promise<Told> {
  const [name = '', ...args] = line;
  const { NODE_OPTIONS: _, NODE_ENV: __, JEST_WORKER_ID: ___, ...clean } = process.env;
  const child = spawn(join(ROOT, 'scripts', name), args, { cwd: tmpdir(), env: { ...clean, ...env } });
  const told = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (told.stdout += chunk));
  child.stderr.on('data', (chunk) => (told.stderr += chunk));
  // A command that does not read what it is sent closes the pipe.
  child.stdin.on('error', () => undefined).end(input);
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...told })));
}

/** The same with `--json`; what it printed. Throws what it said when its exit code is not 0. */
export async function ask<Answer>(
  line: readonly string[],
  env: Readonly<Record<string, string>>,
  input?: string,
): Promise<Answer> {
  const { code, stdout, stderr } = await type([...line, '--json'], env, input);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}
