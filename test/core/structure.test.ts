import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ROOT } from '../support/provider.ts';

/** Which folder of `src` may import which; files directly in `src` put the rest together and may import all. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  config: ['core'],
  observe: ['core'],
  http: ['core', 'observe'],
  features: ['core', 'http'],
  oidc: ['core'],
  stores: ['core'],
  adapters: ['core'],
  commands: ['', 'core', 'config', 'http', 'oidc', 'adapters'],
};

const SRC = join(ROOT, 'src');
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));

const importsOf = (file: string): string[] =>
  [...readFileSync(join(SRC, file), 'utf8').matchAll(/from '(\.[^']+)'/g)].map(([, path]) =>
    relative(SRC, join(SRC, dirname(file), String(path))),
  );

const folderOf = (file: string): string => (file.includes('/') ? String(file.split('/')[0]) : '');

describe('the arrows between folders', () => {
  test.each(files.filter((file) => folderOf(file) !== ''))('%s imports only what it may', (file) => {
    const from = folderOf(file);
    const foreign = importsOf(file).filter((path) => !path.startsWith('..') && folderOf(path) !== from);
    expect(foreign.filter((path) => !ARROWS[from]?.includes(folderOf(path)))).toEqual([]);
  });

  test('features never import features', () => {
    const crossing = files
      .filter((file) => file.startsWith('features/'))
      .flatMap((file) =>
        importsOf(file).filter((path) => path.startsWith('features/') && dirname(path) !== dirname(file)),
      );
    expect(crossing).toEqual([]);
  });

  test('the core knows no web framework, database or environment', () => {
    const core = files.filter((file) => file.startsWith('core/')).map((file) => readFileSync(join(SRC, file), 'utf8'));
    for (const text of core)
      expect(text).not.toMatch(
        /from '(koa|mongoose|ioredis|oidc-provider|node:fs|node:http)|process\.env|Date\.now|randomBytes/,
      );
  });
});

test('every view belongs to a feature, the shared parts or the problems', () => {
  const features = readdirSync(join(SRC, 'features'));
  const folders = readdirSync(join(ROOT, 'views'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const unknown = folders
    .map(({ name }) => name)
    .filter((name) => ![...features, 'assets', 'parts', 'problems'].includes(name));
  expect(unknown).toEqual([]);
});
