/** `npm run sbom` writes sbom.cdx.json: what production is made of, in CycloneDX, from the lock file. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const root = join(import.meta.dirname, '..');
const Bill = z.looseObject({
  metadata: z.looseObject({ component: z.looseObject({ name: z.string() }) }),
  components: z.array(z.unknown()),
});

const [, , to = join(root, 'sbom.cdx.json')] = process.argv;
const options = ['--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--omit', 'dev', '--package-lock-only'];
const bill = Bill.parse(
  JSON.parse(execFileSync('npm', ['sbom', ...options], { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })),
);
// npm names the whole after the folder that it lies in.
bill.metadata.component.name = z
  .object({ name: z.string() })
  .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))).name;
writeFileSync(to, `${JSON.stringify(bill, undefined, 2)}\n`);
console.log(`${to}: ${bill.components.length} components`);
