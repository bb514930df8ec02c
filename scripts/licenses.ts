/** `npm run licenses` lists under which licence each package comes, from the lock file, and fails at one that is not on the list. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** Licences that ask for no more than to be named. */
const EVERYWHERE = [
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
];

/** Those of tools that stay with us: what they ask for when they are handed on does not arise. */
const DEVELOPMENT = ['CC-BY-4.0', 'MPL-2.0'];

const Lock = z.object({
  packages: z.record(
    z.string(),
    z.looseObject({ version: z.string().optional(), license: z.string().optional(), dev: z.boolean().default(false) }),
  ),
});

interface Licensed {
  readonly name: string;
  readonly license: string;
  readonly allowed: boolean;
}

/** Each package of a lock file; the project itself aside. */
export function licensed(lock: unknown): Licensed[] {
  return Object.entries(Lock.parse(lock).packages)
    .filter(([path]) => path !== '')
    .map(([path, { version, license = 'none named', dev }]) => ({
      ...{ name: `${path.replace(/^.*node_modules\//, '')} ${version}`, license },
      allowed: isAllowed(license, dev ? [...EVERYWHERE, ...DEVELOPMENT] : EVERYWHERE),
    }));
}

/** SPDX, as far as packages use it: names that are joined by AND or by OR. What is more involved is for a person to judge. */
function isAllowed(expression: string, list: readonly string[]): boolean {
  const names = expression.replace(/^\((.*)\)$/, '$1');
  if (names.includes(' OR ')) return names.split(' OR ').some((name) => list.includes(name));
  return names.split(' AND ').every((name) => list.includes(name));
}

if (import.meta.main) {
  const all = licensed(JSON.parse(readFileSync(join(import.meta.dirname, '../package-lock.json'), 'utf8')));
  for (const [license, packages = []] of Object.entries(Object.groupBy(all, (one) => one.license)))
    console.log(`${license} (${packages.length}): ${packages.map(({ name }) => name).join(', ')}`);
  const refused = all.filter(({ allowed }) => !allowed);
  for (const { name, license } of refused) console.error(`${name} has a licence that nobody has agreed to: ${license}`);
  console.log(
    `\n${all.length} packages, ${refused.length} under a licence that is not on the list in scripts/licenses.ts`,
  );
  process.exitCode = refused.length > 0 ? 1 : 0;
}
