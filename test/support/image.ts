import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ROOT } from './provider.ts';

/** One line of the Dockerfile, in the stage that it belongs to. */
interface Instruction {
  readonly stage: string;
  readonly name: string;
  readonly text: string;
}

/** The Dockerfile, as far as ours goes: no line continues on the next. */
const instructions: readonly Instruction[] = (() => {
  let stage = '';
  return readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
    .split('\n')
    .filter((line) => /^[A-Z]+ /.test(line))
    .map((line) => {
      const [name = '', ...rest] = line.split(' ');
      if (name === 'FROM') stage = rest.at(-1) ?? '';
      return { stage, name, text: rest.join(' ') };
    });
})();

/** What a target of the Dockerfile is made by, from the stage that it rests on downwards. */
export function stepsOf(target: string): readonly Instruction[] {
  const own = instructions.filter(({ stage }) => stage === target);
  const base = own[0]?.text.split(' ')[0] ?? '';
  return [...(instructions.some(({ stage }) => stage === base) ? stepsOf(base) : []), ...own];
}

/** The last that a target says of something, such as its USER. */
export const lastOf = (target: string, name: string): string | undefined =>
  stepsOf(target).findLast((step) => step.name === name)?.text;

/** What a target takes from the folder that it is built in: paths, and where they go. */
export const copiesOf = (target: string): { readonly from: readonly string[]; readonly to: string }[] =>
  stepsOf(target)
    .filter(({ name, text }) => name === 'COPY' && !text.startsWith('--from'))
    .map(({ text }) => ({ from: text.split(' ').slice(0, -1), to: text.split(' ').at(-1) ?? '' }));

const ignoreLines = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));

/** Whether .dockerignore keeps a path from the builder: the last line that speaks of it, or of a folder above it, counts. */
export function isIgnored(path: string): boolean {
  const folders = path.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'));
  return ignoreLines.reduce((ignored, line) => {
    const pattern = line.replace(/^!/, '');
    return folders.some((folder) => globbed(pattern).test(folder)) ? !line.startsWith('!') : ignored;
  }, false);
}

/** Docker's globs, unlike Node's, take names that begin with a dot for names like others. */
function globbed(pattern: string): RegExp {
  const literal = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal.replaceAll(/\*\*\/|\*/g, (glob) => (glob === '*' ? '[^/]*' : '(?:.*/)?'))}$`);
}

/** Puts into a folder what the builder would put into the image, with the packages that production has, or all of them. */
export function buildImage(target: 'provider' | 'sample', folder: string): void {
  for (const { from, to } of copiesOf(target)) {
    for (const path of from) {
      const source = join(ROOT, path);
      const goal = statSync(source).isDirectory() ? join(folder, to) : join(folder, to, basename(path));
      mkdirSync(join(goal, '..'), { recursive: true });
      cpSync(source, goal, {
        recursive: true,
        filter: (file) => file === source || !isIgnored(file.slice(ROOT.length + 1)),
      });
    }
  }
  if (target === 'sample') symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  else for (const path of productionPackages()) cpSync(join(ROOT, path), join(folder, path), { recursive: true });
}

/** What `npm ci --omit=dev` puts down, as far as it is for this machine. */
function productionPackages(): string[] {
  const lock: { readonly packages: Readonly<Record<string, { readonly dev?: boolean }>> } = JSON.parse(
    readFileSync(join(ROOT, 'package-lock.json'), 'utf8'),
  );
  return Object.entries(lock.packages)
    .filter(
      ([path, { dev }]) => path !== '' && !path.includes('/node_modules/') && !dev && existsSync(join(ROOT, path)),
    )
    .map(([path]) => path);
}

/** Each file of a folder with its size and the time of its last change; packages aside. */
export const listing = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => !path.startsWith('node_modules'))
    .map((path) => {
      const { size, mtimeMs } = statSync(join(folder, path));
      return `${path} ${size} ${mtimeMs}`;
    })
    .sort();
