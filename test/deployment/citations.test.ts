import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ROOT } from '../support/provider.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** `file › name` in a page, the file below `test/` and without its ending. */
const CITED = /`([\w/]+) › ([^`]+)`/g;
const citationsIn = (text: string) => [...text.matchAll(CITED)].map(([, file = '', name = '']) => ({ file, name }));

/** Whether a file has a test, a suite or a row of a table of that name: the name as a whole, in quotes, and not at the end of a statement. */
function isTested({ file, name }: { readonly file: string; readonly name: string }): boolean {
  const path = ['.test.ts', '.ts'].map((ending) => `test/${file}${ending}`).find((one) => existsSync(join(ROOT, one)));
  if (path === undefined) return false;
  const literal = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/'/g, "\\\\?'");
  return new RegExp(`(['"\`])${literal}\\1\\s*[,()\\]:]`).test(read(path));
}

/** How many requirements each section of chapters 6, 7 and 10 has in version 5.0.0. */
const SECTIONS = {
  ...{ 6.1: 3, 6.2: 12, 6.3: 8, 6.4: 6, 6.5: 8, 6.6: 4, 6.7: 2, 6.8: 4 },
  ...{ 7.1: 3, 7.2: 4, 7.3: 2, 7.4: 5, 7.5: 3, 7.6: 2 },
  ...{ 10.1: 2, 10.2: 3, 10.3: 5, 10.4: 16, 10.5: 5, 10.6: 2, 10.7: 3 },
};

const STATES = ['met', 'partly', 'no', 'not applicable'] as const;

const rows = read('docs/asvs.md')
  .split('\n')
  .filter((line) => /^\| \d+\.\d+\.\d+ \|/.test(line))
  .map((line) => {
    const [, id = '', level = '', asks = '', state = '', how = ''] = line
      .split(' | ')
      .join('|')
      .split('|')
      .map((cell) => cell.trim());
    return { id, level: Number(level), asks, state, how };
  });

describe('docs/asvs.md', () => {
  test('has every requirement of chapters 6, 7 and 10, in order and once', () => {
    const all = Object.entries(SECTIONS)
      .flatMap(([section, count]) => Array.from({ length: count }, (_, index) => `${section}.${index + 1}`))
      .sort(new Intl.Collator('en', { numeric: true }).compare);
    expect(rows.map(({ id }) => id)).toEqual(all);
  });

  test.each(rows)('$id has a level and a state, and says what shows it', ({ level, asks, state, how }) => {
    expect([1, 2, 3]).toContain(level);
    expect(STATES).toContain(state);
    expect(asks.length * how.length).toBeGreaterThan(0);
    // What is met is shown by a test, by a page, or by the random source that all of it comes from.
    if (state === 'met') expect(how).toMatch(/ › |\]\(|six digits, as the standard counts them/);
  });

  test('counts them as they are', () => {
    for (const chapter of ['6', '7', '10']) {
      const own = rows.filter(({ id }) => id.startsWith(`${chapter}.`));
      const counts = STATES.map((state) => own.filter((row) => row.state === state).length);
      expect(read('docs/asvs.md')).toContain(`| chapter ${chapter} | ${counts.join(' | ')} |`);
    }
  });
});

describe.each([
  ['docs/asvs.md', 100],
  ['docs/threat-model.md', 50],
  ['docs/operations.md', 1],
] as const)('%s', (page, atLeast) => {
  test('names only tests that there are', () => {
    expect(citationsIn(read(page)).length).toBeGreaterThanOrEqual(atLeast);
    expect(citationsIn(read(page)).filter((cited) => !isTested(cited))).toEqual([]);
  });
});

test('a test that is not there is found out', () => {
  expect(isTested({ file: 'features/lockout', name: 'are forgotten at a success' })).toBe(true);
  expect(isTested({ file: 'features/lockout', name: 'are forgotten at a' })).toBe(false);
  expect(isTested({ file: 'features/nothing', name: 'are forgotten at a success' })).toBe(false);
});
