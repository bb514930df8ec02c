import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { systemClock } from '../../src/adapters/systemClock.ts';
import { openEmbeddedStores } from '../../src/stores/embedded/open.ts';
import { batchesOf } from '../support/audit.ts';
import { ask, type } from '../support/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'audit-'));
const env = { DATA_DIR: join(folder, 'data') };
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const APP = ['--name', 'Care Messages', '--client-uri', 'https://app.example/'];
const exported = async (...options: string[]) => {
  const { code, stdout, stderr } = await type(['audit', 'export', ...options], env);
  expect([code, stderr]).toEqual([0, '']);
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
};

test('commands are on record with who typed them, exported by what is asked for, verified, and named when somebody changed one', async () => {
  const made = ['clients', 'make', '--kind', 'service', '--id', 'records', '--scope', 'records:read', ...APP];
  const { client_secret } = await ask<{ client_secret: string }>(made, env);
  await ask(['clients', 'disable', 'records'], env);
  await ask(['clients', 'rotate-secret', 'records', '--overlap', '1h'], env);
  await ask(['keys', 'rotate'], env);

  const all = await exported();
  expect(all.map(({ action }) => action)).toEqual([
    ...['audit-exported', 'keys-rotated', 'client-secret-made', 'client-disabled', 'client-made'],
  ]);
  expect(all.every(({ actor }) => actor.kind === 'command' && actor.id === userInfo().username)).toBe(true);
  expect(JSON.stringify(all)).not.toContain(client_secret);
  expect((await exported('--subject', 'records', '--action', 'client-disabled')).length).toBe(1);
  expect(await exported('--to', '2020-01-01')).toEqual([]);
  expect((await exported('--from', all[1].at, '--actor', userInfo().username)).length).toBeGreaterThan(3);
  for (const wrong of [
    ['--from', 'yesterday'],
    ['--action', 'dance'],
  ])
    expect((await type(['audit', 'export', ...wrong], env)).code).toBe(2);

  const good = await type(['audit', 'verify'], env);
  expect([good.code, good.stderr]).toEqual([0, '']);
  expect(good.stdout).toMatch(/^Nothing was changed: \d+ events in \d+ chains, under 0 seals\.\n$/);
  expect(await ask(['audit', 'verify'], env)).toMatchObject({ intact: true, faults: 0 });

  const stores = openEmbeddedStores(env.DATA_DIR, systemClock);
  const [, second] = await batchesOf(stores);
  if (second === undefined) throw new Error('there are several');
  const { id, version, value } = second;
  const events = value.events.map((line) => line.replace('client-disabled', 'client-enabled'));
  await stores.audit.replace(id, version, { ...value, events });
  await stores.close();
  const bad = await type(['audit', 'verify'], env);
  expect([bad.code, bad.stdout.split('\n')[0]]).toEqual([
    3,
    expect.stringMatching(new RegExp(`^The event 1 of chain ${value.node}, of about 20.*Z, was changed\\. Read were `)),
  ]);
  const told = await type(['audit', 'verify', '--json'], env);
  expect(JSON.parse(told.stdout)).toMatchObject({
    intact: false,
    first: { kind: 'changed', sequence: 1, node: value.node },
  });
});
