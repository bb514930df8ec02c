import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { SETTINGS } from '../../src/config/schema.ts';
import { ACTIONS } from '../../src/core/audit/event.ts';
import { type } from '../support/command.ts';
import { ROOT } from '../support/provider.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

describe('docs/operations.md', () => {
  const page = read('docs/operations.md');

  test('alerts on figures that there are', () => {
    const figures = [
      ...new Set([...page.matchAll(/\b(idp_\w+?)(?:_bucket|_count|_sum)?\b/g)].map(([, name]) => String(name))),
    ];
    expect(figures.length).toBeGreaterThan(7);
    expect(figures.filter((name) => !read('src/observe/metrics.ts').includes(`'${name}'`))).toEqual([]);
    for (const [, kind = ''] of page.matchAll(/kind=~"([^"]+)"/g))
      for (const one of kind.split('\\|')) expect(read('src/core/lockout/signals.ts')).toContain(`${one}:`);
  });

  test('names only commands, and events on record, that there are', async () => {
    const typed = [...page.matchAll(/scripts\/(\w+) ([a-z-]+)/g)].map(([, command = '', subcommand = '']) => ({
      command,
      subcommand,
    }));
    expect(typed.length).toBeGreaterThan(30);
    const commands = new Set(typed.map(({ command }) => command));
    const helps = await Promise.all(
      [...commands].map(async (command) => [command, (await type([command, '--help'], {})).stdout] as const),
    );
    const help = new Map(helps);
    const unknown = typed.filter(({ command, subcommand }) => !help.get(command)?.includes(`\n  ${subcommand} `));
    expect(unknown).toEqual([]);
    for (const [, action = ''] of page.matchAll(/--action ([a-z.-]+)/g)) expect(ACTIONS).toContain(action);
  });

  test('names only settings that there are', () => {
    const names = [...page.matchAll(/`([A-Z][A-Z]+_[A-Z_]+)(?:=[^`]*)?`/g)].map(([, name = '']) => name);
    expect(names.filter((name) => !Object.hasOwn(SETTINGS.shape, name))).toEqual([]);
  });
});

/** The heading that GitHub and others make of a title. */
const anchorOf = (title: string): string =>
  title
    .toLowerCase()
    .replace(/`/g, '')
    .replace(/[^\w -]/g, '')
    .replaceAll(' ', '-');

test.each([
  'README.md',
  'SECURITY.md',
  'config/README.md',
  'docs/asvs.md',
  'docs/operations.md',
  'docs/threat-model.md',
])('every link of %s leads to a file or a title that there is', (page) => {
  const broken = [...read(page).matchAll(/\]\((?!https?:)([^)\s#]*)(?:#([^)]+))?\)/g)].filter(
    ([, path = '', anchor]) => {
      const target = path === '' ? page : normalize(join(dirname(page), path));
      if (!existsSync(join(ROOT, target))) return true;
      const titles =
        anchor === undefined ? [] : [...read(target).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => anchorOf(title));
      return anchor !== undefined && !titles.includes(anchor);
    },
  );
  expect(broken.map(([link]) => link)).toEqual([]);
});
