import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { licensed } from '../../scripts/licenses.ts';
import { ROOT } from '../support/provider.ts';

const folder = mkdtempSync(join(tmpdir(), 'supply-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));

/** A script of ours as npm runs it. */
function run(script: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const { NODE_OPTIONS: _, ...clean } = process.env;
  const child = spawn(process.execPath, [join(ROOT, 'scripts', script), ...args], { env: { ...clean, ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return new Promise<{ code: number | null; output: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, output })),
  );
}

test('every package has a digest, and comes from whichever registry npm is told, not from a place of its own', () => {
  const packages: [string, { readonly resolved?: string; readonly integrity?: string }][] = Object.entries(
    lock.packages,
  );
  const loose = packages.filter(
    ([path, { resolved, integrity = '' }]) =>
      path !== '' && (resolved !== undefined || !integrity.startsWith('sha512-')),
  );
  expect(loose).toEqual([]);
});

describe('the licences', () => {
  test('of all packages are on the list', async () => {
    expect(licensed(lock).filter(({ allowed }) => !allowed)).toEqual([]);
    expect(licensed(lock).length).toBeGreaterThan(400);
    expect((await run('licenses.ts')).code).toBe(0);
  });

  test.each([
    ['GPL-3.0-only', true, false],
    ['MIT OR GPL-3.0-only', false, true],
    ['MIT AND GPL-3.0-only', false, false],
    ['(MIT OR CC0-1.0)', false, true],
    ['MPL-2.0', true, true],
    ['MPL-2.0', false, false],
    [undefined, true, false],
  ])('%s, for development only: %s, is allowed: %s', (license, dev, allowed) => {
    expect(licensed({ packages: { 'node_modules/one': { version: '1.0.0', license, dev } } })).toMatchObject([
      { allowed },
    ]);
  });
});

describe('the bill of materials', () => {
  test('has what production is made of, by name, version, licence and digest, and nothing else', async () => {
    const path = join(folder, 'sbom.json');
    expect((await run('sbom.ts', [path])).code).toBe(0);
    const bill = JSON.parse(readFileSync(path, 'utf8'));
    expect(bill).toMatchObject({
      bomFormat: 'CycloneDX',
      metadata: { component: { name: 'member-identity-provider' } },
    });
    const names: string[] = bill.components.map(({ name }: { readonly name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(['koa', 'mongoose', 'oidc-provider', 'argon2']));
    expect(names).not.toContain('jest');
    const koa = bill.components.find(({ name }: { readonly name: string }) => name === 'koa');
    expect(koa).toMatchObject({
      version: lock.packages['node_modules/koa'].version,
      licenses: [{ license: { id: 'MIT' } }],
      hashes: [{ alg: 'SHA-512' }],
    });
  });
});

describe('the advisories of a registry', () => {
  /** A registry that answers what npm asks for known holes. */
  async function asked(status: number, body: unknown) {
    const server = createServer((request, response) => {
      request.resume();
      const isQuestion = request.url?.endsWith('/security/advisories/bulk');
      response.writeHead(isQuestion ? status : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify(isQuestion ? body : {}));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const told = await run('advisories.ts', [], {
      npm_config_registry: registry,
      npm_config_cache: mkdtempSync(join(folder, 'cache-')),
    });
    server.close();
    return told;
  }
  const advisory = (severity: string) => ({
    koa: [
      { id: 1, url: 'https://advisories.example/1', title: 'Too open', severity, vulnerable_versions: '*', cwe: [] },
    ],
  });

  test('that knows of none let the build go on', async () => {
    expect(await asked(200, {})).toEqual({
      code: 0,
      output: 'Checked: 0 packages with advisories, 0 of them high or critical.\n',
    });
  });

  test.each([
    ['critical', 1],
    ['high', 1],
    ['moderate', 0],
  ])('that knows of a %s one end it with %i, and are named', async (severity, code) => {
    const told = await asked(200, advisory(severity));
    expect([told.code, told.output]).toEqual([code, expect.stringContaining(`${severity}: koa`)]);
    expect(told.output).toContain('Too open https://advisories.example/1');
  });

  test('that answers nothing of the kind are told as not checked', async () => {
    const { code, output } = await asked(405, { message: 'no' });
    expect([code, output]).toEqual([0, expect.stringMatching(/^NOT CHECKED: .*405/)]);
  });
});
