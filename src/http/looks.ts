import Router from '@koa/router';
import type { Middleware } from 'koa';
import { brandOf, type Paint, paintOf } from '../core/client/brand.ts';
import { type App, type ClientDirectory, findMetadata } from '../core/client/client.ts';
import { isColor } from '../core/client/contrast.ts';
import { mounted, type PageState } from './context.ts';

/** What a page needs to look like its app. Both addresses change with what they bring. */
export interface Look {
  readonly stylesheet: string | undefined;
  readonly logo: string | undefined;
}

export const lookOf = ({ id, brand }: Pick<App, 'id' | 'brand'>): Look => ({
  stylesheet: brand?.color && `/looks/${brand.color.slice(1)}.css`,
  logo: brand?.logo && `/logos/${encodeURIComponent(id)}/${brand.logo.digest}`,
});

const FOREVER = 'public, max-age=31536000, immutable';

/** The style sheets and logos of apps, from us and nobody else. */
export function lookRoutes(clients: ClientDirectory): Middleware<PageState> {
  const router = new Router<PageState>();

  router.get('/looks/:color.css', async (ctx, next) => {
    const color = `#${ctx.params.color}`;
    if (!isColor(color)) return next();
    const { light, dark } = paintOf(color);
    ctx.set('Cache-Control', FOREVER);
    ctx.type = 'text/css; charset=utf-8';
    ctx.body = `:root{${variables(light)}}@media (prefers-color-scheme:dark){:root{${variables(dark)}}}`;
  });

  router.get('/logos/:client/:digest', async (ctx, next) => {
    const metadata = await findMetadata(clients, ctx.params.client);
    const logo = metadata && brandOf(metadata)?.logo;
    if (logo === undefined || logo.digest !== ctx.params.digest) return next();
    ctx.set('Cache-Control', FOREVER);
    // Also whoever opens it by itself opens a picture and nothing else.
    ctx.set('Content-Security-Policy', "default-src 'none'; sandbox");
    ctx.type = logo.type;
    ctx.body = Buffer.from(logo.base64, 'base64');
  });

  return mounted(router);
}

const variables = ({ brand, strong, onBrand }: Paint): string =>
  `--brand:${brand};--brand-strong:${strong};--on-brand:${onBrand}`;
