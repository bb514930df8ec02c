import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Secrets } from './load.ts';

const SecretsFile = z.object({
  cookieKeys: z.array(z.string().min(32)).min(1),
  keyEncryptionKeys: z.array(z.string().min(32)).min(1),
  passwordPeppers: z.array(z.string().min(32)).min(1),
});

/**
 * The secrets of a development machine: made at first start, kept in the data folder, readable by its owner only. They
 * are written beside and then linked into place, so that no half file is left, and of two first starts one wins.
 * Throws when the file is damaged.
 */
export function developmentSecrets(dataDir: string): Secrets {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, 'development-secrets.json');
  if (!existsSync(path)) make(path);
  const parsed = SecretsFile.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (!parsed.success) throw new Error(`${path} is damaged or older than this version`);
  return parsed.data;
}

function make(path: string): void {
  const secret = () => randomBytes(32).toString('base64url');
  const secrets: Secrets = { cookieKeys: [secret()], keyEncryptionKeys: [secret()], passwordPeppers: [secret()] };
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(secrets), { mode: 0o600 });
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft);
  }
}
