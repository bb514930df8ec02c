import Router from '@koa/router';
import type { Middleware } from 'koa';
import { mounted, type PageContext, type PageState, pageContext, seeOther } from '../../http/context.ts';
import { EXTEND_SESSION, type FormGuard } from '../../http/csrf.ts';
import { readForm } from '../../http/form.ts';
import type { ProblemPages } from '../../http/problems.ts';

export interface ExtendDependencies {
  readonly guard: FormGuard;
  readonly problems: ProblemPages;
  /** Begins the idle limit again. The new end in seconds since 1970, or undefined where no session is left. */
  readonly extend: (ctx: PageContext) => Promise<number | undefined>;
}

/** `POST /session/extend`: one click keeps the member signed in. A script gets the new end; a form goes back. */
export function extendRoute({ guard, problems, extend }: ExtendDependencies): Middleware<PageState> {
  const router = new Router<PageState>();
  router.post('/session/extend', async (context) => {
    const ctx = pageContext(context);
    const form = await readForm(ctx);
    const back = localPath(form.ok ? form.proven.get('back') : undefined);
    if (!form.ok) return problems.refused(ctx, form.refusal, back);
    if (!guard.accepts(ctx, EXTEND_SESSION, form.proven.get('form_token'))) {
      return problems.refused(ctx, 'form-not-ours', back);
    }
    const endsAt = await extend(ctx);
    if (endsAt === undefined) return problems.expired(ctx, undefined);
    if (ctx.accepts('html', 'json') === 'html') return seeOther(ctx, back);
    ctx.set('Cache-Control', 'no-store');
    ctx.body = { endsAt };
  });
  return mounted(router);
}

/** A page of ours and nothing else: never another origin. */
const localPath = (path: string | undefined): string =>
  path !== undefined && /^\/[\w-][\w/-]*$/.test(path) ? path : '/';
