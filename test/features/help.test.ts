import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ROOT, startProvider } from '../support/provider.ts';
import { STORE_PAIRS, type StorePair } from '../support/stores.ts';
import { Visitor } from '../support/visitor.ts';

const embedded = STORE_PAIRS[0] as StorePair;

describe('help', () => {
  test.each(['en', 'es'])(
    'is reached from every page in %s, and every link in it leads to a page',
    async (language) => {
      const provider = await startProvider(embedded);
      const visitor = new Visitor({ 'accept-language': language });
      const start = await visitor.fetch(`${provider.issuer}/nowhere`);
      expect(start.body).toContain('id="help" href="/help"');
      const index = await visitor.fetch(`${provider.issuer}/help`);
      const links = [...index.body.matchAll(/href="(\/[a-z][^"]*)"/g)].map(([, path]) => String(path));
      expect(links.length).toBeGreaterThan(5);
      for (const path of links) {
        const page = await visitor.fetch(provider.issuer + path);
        expect([path, page.status]).toEqual([path, 200]);
        if (page.headers.get('content-type')?.includes('html'))
          expect(page.body).toContain(`<html lang="${language}">`);
      }
      expect((await visitor.fetch(`${provider.issuer}/help/__proto__`)).status).toBe(404);
      await provider.close();
    },
  );

  test('the status page says that everything works', async () => {
    const provider = await startProvider(embedded);
    const page = await new Visitor().fetch(`${provider.issuer}/status`);
    expect([page.status, page.body.includes('Members can sign in.')]).toEqual([200, true]);
    await provider.close();
  });

  test("the operator's banner stands on every page, in the member's language", async () => {
    const path = join(tmpdir(), `plan-${process.pid}.json`);
    const plan = JSON.parse(readFileSync(join(ROOT, 'config/plan.json'), 'utf8'));
    writeFileSync(
      path,
      JSON.stringify({ ...plan, banner: { en: 'Planned work <tonight>', es: 'Trabajos esta noche' } }),
    );
    const provider = await startProvider(embedded, { env: { PLAN_FILE: path } });
    for (const where of ['/help', '/nowhere', '/status']) {
      expect((await new Visitor().fetch(provider.issuer + where)).body).toContain('Planned work &lt;tonight&gt;');
    }
    expect((await new Visitor({ 'accept-language': 'es' }).fetch(`${provider.issuer}/help`)).body).toContain(
      'Trabajos esta noche',
    );
    await provider.close();
  });
});
