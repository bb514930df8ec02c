import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Secrets } from './load.ts';

/**
 * The secrets of a development machine: made at first start, kept in the data folder, readable by its owner only. They
 * are written beside and renamed, so that a start that dies leaves no half file.
 */
export function developmentSecrets(dataDir: string): Secrets {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, 'development-secrets.json');
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8'));
  const secret = () => randomBytes(32).toString('base64url');
  const secrets: Secrets = { cookieKeys: [secret()], keyEncryptionKeys: [secret()], passwordPeppers: [secret()] };
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(secrets), { mode: 0o600 });
  renameSync(draft, path);
  return secrets;
}
