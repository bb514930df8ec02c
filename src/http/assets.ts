import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Middleware } from 'koa';

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Style sheets, scripts and pictures, from memory, under names that change with their content. */
export interface Assets {
  /** The address of a file in `views/assets`. Throws on a file that is not there. */
  url(file: string): string;
  readonly serve: Middleware;
}

export function loadAssets(directory: string): Assets {
  const urls = new Map<string, string>();
  const files = new Map<string, { body: Buffer; type: string }>();
  for (const file of readdirSync(directory)) {
    const type = TYPES[extname(file)];
    if (type === undefined) continue;
    const body = readFileSync(join(directory, file));
    const digest = createHash('sha256').update(body).digest('base64url').slice(0, 12);
    const url = `/assets/${digest}/${file}`;
    urls.set(file, url);
    files.set(url, { body, type });
  }
  return {
    url(file) {
      const url = urls.get(file);
      if (url === undefined) throw new Error(`no asset ${file}`);
      return url;
    },
    serve: async (ctx, next) => {
      const file = ctx.method === 'GET' || ctx.method === 'HEAD' ? files.get(ctx.path) : undefined;
      if (file === undefined) return next();
      ctx.set('Cache-Control', 'public, max-age=31536000, immutable');
      ctx.type = file.type;
      ctx.body = file.body;
    },
  };
}
