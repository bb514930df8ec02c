import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { brandFaults, GROUNDS, logoUrl, paintOf } from '../../src/core/client/brand.ts';
import { contrast } from '../../src/core/client/contrast.ts';
import { dataUrl, png } from '../support/picture.ts';
import { ROOT } from '../support/provider.ts';

const faults = (brand: object) => brandFaults({ client_id: 'care', redirect_uris: [], ...brand });
const logo = png(200, 60);

test('contrast is what WCAG 2.2 says that it is', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21, 5);
  expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
  expect(contrast('#ffffff', '#767676')).toBeCloseTo(4.54, 2);
});

test('the grounds that colours are held against are those of the pages', () => {
  const [light = '', dark = ''] = readFileSync(join(ROOT, 'views/assets/style.css'), 'utf8').split(
    'prefers-color-scheme',
  );
  const variable = (css: string, name: string) => new RegExp(`--${name}: (#\\w+)`).exec(css)?.[1];
  expect(GROUNDS).toEqual({
    light: variable(light, 'ground'),
    dark: variable(dark, 'surface'),
    onDark: variable(dark, 'on-brand'),
  });
  // White paper is lighter still, and so a colour that can be read on the ground can be read on it as well.
  expect(variable(light, 'surface')).toBe('#fff');
});

test.each(['#5b2a86', '#0b6b62', '#a8191f', '#000000'])(
  '%s is readable on light pages, and as it becomes on dark ones',
  (color) => {
    expect(faults({ brand_color: color })).toEqual([]);
    const { light, dark } = paintOf(color);
    for (const [one, other] of [
      ...[light.brand, light.strong].flatMap(
        (paint) =>
          [
            [light.onBrand, paint],
            [GROUNDS.light, paint],
          ] as const,
      ),
      ...[dark.brand, dark.strong].flatMap(
        (paint) =>
          [
            [dark.onBrand, paint],
            [GROUNDS.dark, paint],
          ] as const,
      ),
    ])
      expect(contrast(one, other)).toBeGreaterThanOrEqual(4.5);
  },
);

test('a colour that is too light is refused with the nearest one that is not', () => {
  const [fault = ''] = faults({ brand_color: '#4fc3b2' });
  expect(fault).toMatch(
    /^brand_color #4fc3b2 has a contrast of 1\.9 : 1 on our pages and needs 4\.5 : 1; #[\da-f]{6} has it\.$/,
  );
  expect(faults({ brand_color: /; (#\w+) has it/.exec(fault)?.[1] })).toEqual([]);
});

test.each([
  ['a word', 'teal'],
  ['three digits', '#123'],
  ['what would end the rule', '#0b6b62;}'],
  ['a number', 7],
])('%s is no colour', (_, color) => expect(faults({ brand_color: color })).toHaveLength(1));

test.each([
  ['a picture', dataUrl(logo), []],
  ['an address elsewhere', 'https://elsewhere.example/logo.png', ['is a data: URL']],
  [
    'a drawing, which may hold scripts',
    dataUrl(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"/>'), 'image/svg+xml'),
    ['is no picture in PNG'],
  ],
  ['a page that says it is a picture', dataUrl(Buffer.from('<script>alert(1)</script>')), ['is no picture in PNG']],
  ['a picture under the name of another type', dataUrl(logo, 'text/html'), ['another type than image/png']],
  ['the smallest and the largest', dataUrl(png(32, 1024)), []],
  ['one that is too small', dataUrl(png(31, 60)), ['31 by 60 pixels']],
  ['one that is too large', dataUrl(png(60, 1025)), ['60 by 1025 pixels']],
  ['one that weighs too much', dataUrl(png(64, 64, { teXt: Buffer.alloc(33 * 1024) })), ['may have 32768']],
  ['one that moves', dataUrl(png(64, 64, { acTL: Buffer.alloc(8) })), ['moves']],
  ['nothing', 'data:image/png;base64,', ['is a data: URL']],
])('as a logo: %s', (_, url, wanted) => {
  const found = faults({ brand_logo: url });
  expect(found).toHaveLength(wanted.length);
  wanted.forEach((words, i) => void expect(found[i]).toContain(words));
});

test('a file is what it is, whatever its sender calls it', () => {
  expect(logoUrl(logo)).toBe(dataUrl(logo));
  expect(faults({ brand_logo: logoUrl(Buffer.from('no picture')) })[0]).toContain('no picture');
});
