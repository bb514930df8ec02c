import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { REFUSALS } from '../../src/core/refusal.ts';
import { LOCALES, pickLocale, translator } from '../../src/http/words.ts';
import { ROOT } from '../support/provider.ts';

const words = (locale: string): Record<string, string> =>
  flatten(JSON.parse(readFileSync(join(ROOT, `config/words/${locale}.json`), 'utf8')));

function flatten(tree: object, path = ''): Record<string, string> {
  return Object.assign(
    {},
    ...Object.entries(tree).map(([key, value]) =>
      typeof value === 'string' ? { [path + key]: value } : flatten(value, `${path}${key}.`),
    ),
  );
}

describe.each(LOCALES.filter((locale) => locale !== 'en'))('the words in %s', (locale) => {
  test('are there for every key of the English ones, with the same values to fill in', () => {
    const [english, other] = [words('en'), words(locale)];
    const shape = (all: Record<string, string>) =>
      Object.entries(all).map(([key, text]) => [
        key,
        [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name).sort(),
      ]);
    expect(shape(other)).toEqual(shape(english));
  });
});

test.each(LOCALES)('every refusal has words in %s', (locale) => {
  for (const refusal of REFUSALS) expect(translator(locale)(`refusals.${refusal}`)).toMatch(/\w{3}/);
});

test('every key that a view names exists', () => {
  const views = readdirSync(join(ROOT, 'views'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ejs'),
  );
  const named = views.flatMap((file) =>
    [...readFileSync(join(ROOT, 'views', file), 'utf8').matchAll(/\bt\('([\w.-]+)'[),]/g)].map(([, key]) => key ?? ''),
  );
  expect(named.length).toBeGreaterThan(20);
  const english = words('en');
  expect(named.filter((key) => !(key in english) && !(`${key}_other` in english))).toEqual([]);
});

test('an unknown key is a bug and not a text', () => {
  expect(() => translator('en')('no.such.key')).toThrow('no words');
});

test.each([
  [['es-MX', 'en'], 'es'],
  [['fr', 'EN-us'], 'en'],
  [['fr'], undefined],
  [[''], undefined],
  [['__proto__'], undefined],
])('of the languages %j we speak %s', (tags, locale) => expect(pickLocale(tags)).toBe(locale));
