import type Router from '@koa/router';
import { type PageContext, type PageState, pageContext } from './context.ts';
import type { FormGuard } from './csrf.ts';
import { readForm } from './form.ts';
import { allowFormsTo } from './headers.ts';
import type { ProblemPages } from './problems.ts';
import type { Render } from './render.ts';

export interface LinkDependencies {
  readonly guard: FormGuard;
  readonly render: Render;
  readonly problems: ProblemPages;
}

interface Link {
  /** The secret comes after it. */
  readonly path: string;
  /** The page with the button, and what it needs; undefined where the link opens nothing any more. */
  readonly view: string;
  show(secret: string): Promise<object | undefined>;
  /** Does what the button says. The page that follows; undefined as before; `away` where the browser was sent on already. */
  act(
    secret: string,
    ctx: PageContext,
  ): Promise<{ readonly view: string; readonly locals?: object } | 'away' | undefined>;
  /** The page that says so. */
  readonly gone: string;
  readonly goneLocals?: object;
}

/**
 * A link in a message. `GET` shows a page with a button and changes nothing, since mail scanners open links; `POST` does what
 * the button says. Who has the link needs no session.
 */
export function mountLink(router: Router<PageState>, { guard, render, problems }: LinkDependencies, link: Link): void {
  const path = `${link.path}/:secret`;
  const subject = (secret: string) => `${link.path}:${secret}`;
  const gone = (ctx: PageContext) => render(ctx, link.gone, link.goneLocals, 410);
  router.get(path, async (context) => {
    const [ctx, secret] = [pageContext(context), String(context.params.secret)];
    const locals = await link.show(secret);
    if (locals === undefined) return gone(ctx);
    allowFormsTo(ctx, []);
    render(ctx, link.view, { ...locals, action: ctx.path, formToken: guard.token(subject(secret)) });
  });
  router.post(path, async (context) => {
    const [ctx, secret] = [pageContext(context), String(context.params.secret)];
    const form = await readForm(ctx);
    if (!form.ok) return problems.refused(ctx, form.refusal, ctx.path);
    if (!guard.accepts(ctx, subject(secret), form.proven.get('form_token')))
      return problems.refused(ctx, 'form-not-ours', ctx.path);
    const next = await link.act(secret, ctx);
    if (next === undefined) return gone(ctx);
    if (next === 'away') return;
    render(ctx, next.view, next.locals);
  });
}
