/**
 * `npm run advisories` asks the registry for known holes in the packages of the lock file, and fails at one of high or critical
 * severity. A registry that cannot be asked is told as such: nothing was checked then, and the build goes on.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { z } from 'zod';

const GRAVE = ['high', 'critical'];

const Report = z.object({
  vulnerabilities: z.record(
    z.string(),
    z.looseObject({
      severity: z.string(),
      range: z.string(),
      via: z.array(z.union([z.string(), z.looseObject({ title: z.string(), url: z.string() })])),
    }),
  ),
});

const { stdout } = spawnSync('npm', ['audit', '--json', '--package-lock-only'], {
  ...{ cwd: join(import.meta.dirname, '..'), encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
});
const report = Report.safeParse(read(stdout));
if (!report.success)
  console.log(`NOT CHECKED: the registry was not to be asked for advisories (${reason(read(stdout))}).`);
else {
  const found = Object.entries(report.data.vulnerabilities);
  for (const [name, { severity, range, via }] of found) {
    const why = via.map((cause) => (typeof cause === 'string' ? `by ${cause}` : `${cause.title} ${cause.url}`));
    console.log(`${severity}: ${[name, range].join(' ').trim()}: ${why.join('; ')}`);
  }
  const grave = found.filter(([, { severity }]) => GRAVE.includes(severity));
  console.log(`Checked: ${found.length} packages with advisories, ${grave.length} of them high or critical.`);
  process.exitCode = grave.length > 0 ? 1 : 0;
}

function read(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reason(answer: unknown): string {
  const told = z.looseObject({ message: z.string() }).safeParse(answer);
  return told.success ? told.data.message : 'no answer';
}
