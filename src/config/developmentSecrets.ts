import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Secrets } from './load.ts';

const several = z.array(z.string().min(32)).min(1);

const SecretsFile = z.object({
  cookieKeys: several,
  keyEncryptionKeys: several,
  passwordPeppers: several,
  rosterKeys: several,
});

/** What an older version may have left: it knew fewer secrets. */
const OlderFile = SecretsFile.partial();

/**
 * The secrets of a development machine: made at first start, kept in the data folder, readable by its owner only. Those that
 * an older version did not know are added. Throws when the file is damaged.
 */
export function developmentSecrets(dataDir: string): Secrets {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, 'development-secrets.json');
  if (!SecretsFile.safeParse(read(path)).success) complete(path);
  return SecretsFile.parse(read(path));
}

function read(path: string): z.infer<typeof OlderFile> {
  if (!existsSync(path)) return {};
  const parsed = OlderFile.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (!parsed.success) throw new Error(`${path} is damaged`);
  return parsed.data;
}

/**
 * Adds what is missing. The new file is written beside and linked to one name for all, so that no half file is left and of
 * several first starts one decides; whoever finds that file, also one of a process that died, puts it into place.
 */
function complete(path: string): void {
  const [draft, next] = [`${path}.${process.pid}`, `${path}.next`];
  writeFileSync(draft, JSON.stringify({ ...newSecrets(), ...read(path) }), { mode: 0o600 });
  ignoring('EEXIST', () => linkSync(draft, next));
  rmSync(draft);
  if (SecretsFile.safeParse(read(path)).success) rmSync(next, { force: true });
  else ignoring('ENOENT', () => renameSync(next, path));
}

function newSecrets(): Secrets {
  const secret = () => [randomBytes(32).toString('base64url')];
  return { cookieKeys: secret(), keyEncryptionKeys: secret(), passwordPeppers: secret(), rosterKeys: secret() };
}

function ignoring(code: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== code) throw error;
  }
}
