import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../src/config/load.ts';
import { TestClock } from '../support/clock.ts';
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

  describe('for who has found a hole', () => {
    const plan = JSON.parse(readFileSync(join(ROOT, 'config/plan.json'), 'utf8'));
    const planFile = (security: object | undefined) => {
      const path = join(tmpdir(), `plan-security-${process.pid}.json`);
      writeFileSync(path, JSON.stringify({ ...plan, security }));
      return { PLAN_FILE: path };
    };
    const withPlan = (security: object | undefined) => startProvider(embedded, { env: planFile(security), clock });
    const clock = new TestClock();
    const ask = (issuer: string) => new Visitor().fetch(`${issuer}/.well-known/security.txt`);

    test('security.txt says whom to tell, and is good for ninety days more, whenever it is asked for', async () => {
      const policy = 'https://www.example.org/security';
      const provider = await withPlan({ contact: ['mailto:security@example.org', 'tel:+1-800-555-0100'], policy });
      const page = await ask(provider.issuer);
      expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8']);
      expect(page.body.split('\n')).toEqual([
        'Contact: mailto:security@example.org',
        'Contact: tel:+1-800-555-0100',
        'Expires: 2026-04-15T00:00:00Z',
        `Canonical: ${provider.issuer}/.well-known/security.txt`,
        'Preferred-Languages: en, es',
        `Policy: ${policy}`,
        '',
      ]);
      clock.advance(31 * 86_400_000);
      expect((await ask(provider.issuer)).body).toContain('\nExpires: 2026-05-16T00:00:00Z\n');
      await provider.close();
    });

    test('it is not there where the plan names nobody', async () => {
      const provider = await withPlan(undefined);
      expect((await ask(provider.issuer)).status).toBe(404);
      await provider.close();
    });

    test.each([
      [{ contact: [] }],
      [{ contact: ['security@example.org'] }],
      [{ contact: ['mailto:security@example.org\nExpires: 2099-01-01T00:00:00Z'] }],
      [{ contact: ['mailto:security@example.org'], policy: 'http://www.example.org/security' }],
    ])('a plan with %j is refused', (security) => {
      expect(() => loadConfig(planFile(security), ROOT)).toThrow('PLAN_FILE');
    });
  });
});
