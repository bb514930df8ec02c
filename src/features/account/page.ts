import type Router from '@koa/router';
import type { Audit } from '../../core/audit/event.ts';
import type { Outcome, Refusal } from '../../core/refusal.ts';
import { type PageContext, type PageState, pageContext, seeOther } from '../../http/context.ts';
import type { FormGuard } from '../../http/csrf.ts';
import { type Form, readForm } from '../../http/form.ts';
import { allowFormsTo } from '../../http/headers.ts';
import { type ProblemPages, REFUSAL_STATUS } from '../../http/problems.ts';
import type { Render } from '../../http/render.ts';
import { sessionNotice } from '../../http/sessionNotice.ts';
import type { SignedIn, Visit } from '../../http/signedIn.ts';

/** What has just been done, as the page says it that follows. Its words stand under `account.done.<name>`. */
const DONE = [
  ...(['passkey-added', 'totp-added', 'text-added', 'passkey-removed', 'totp-removed', 'text-removed'] as const),
  ...(['renamed', 'codes-renewed', 'password-changed'] as const),
  ...(['contact-added', 'contact-removed', 'contact-first'] as const),
  ...(['session-ended', 'sessions-ended', 'app-disconnected'] as const),
  ...(['closing-asked', 'closing-taken-back', 'language-saved'] as const),
] as const;
export type Done = (typeof DONE)[number];

/** The page that says so. */
export const done = (path: string, what: Done): string => `${path}?done=${what}`;

/** A form on a page: what it does, and where the browser goes then, or why not. */
interface Action {
  /** Whether it needs a fresh sign-in. */
  readonly fresh: boolean;
  run(form: Form, visit: Visit, ctx: PageContext): Promise<Outcome<string>>;
  fieldOf?(refusal: Refusal): string;
}

export interface AccountPage {
  /** Below `/account`; empty for its front page. May have parameters. */
  readonly path: string;
  readonly view: string;
  /** Its forms need a fresh sign-in: it is asked for before they are seen. */
  readonly fresh?: boolean;
  /** Undefined where there is no such thing, which leads back to the front page. */
  show(visit: Visit, ctx: PageContext, typed?: Form): Promise<object | undefined>;
  /** By the last part of their address. */
  readonly actions?: Readonly<Record<string, Action>>;
}

export interface PageDependencies {
  readonly signedIn: SignedIn;
  readonly guard: FormGuard;
  readonly render: Render;
  readonly problems: ProblemPages;
  readonly audit: Audit;
}

/** Where a change is made, for the message that tells of it. */
export const changedIn = ({ account, session, agent }: Visit) => ({ id: account.id, session: session.uid, agent });

const subject = ({ session }: Visit): string => `account:${session.uid}`;

/** Mounts a page of the account: every one needs a session, and its forms need it to be the one that they were shown in. */
export function mountPage(router: Router<PageState>, deps: PageDependencies, page: AccountPage): void {
  const { signedIn, guard, render, problems, audit } = deps;

  async function show(ctx: PageContext, home: string, visit: Visit, refusal?: Refusal, typed?: Form, field?: string) {
    const locals = await page.show(visit, ctx, typed);
    if (locals === undefined) return seeOther(ctx, '/account');
    allowFormsTo(ctx, []);
    const { endsAt } = visit.session;
    const common = { home, formToken: guard.token(subject(visit)), session: sessionNotice(endsAt, guard, home) };
    const asked = DONE.find((what) => what === ctx.query.done);
    const status = refusal === undefined ? 200 : REFUSAL_STATUS[refusal];
    render(ctx, page.view, { ...common, done: asked, refusal, field, ...locals }, status);
  }

  const path = `/account${page.path}`;
  router.get(path, async (context) => {
    const ctx = pageContext(context);
    const visit = await signedIn.enter(ctx, { fresh: page.fresh === true });
    if (visit !== undefined) await show(ctx, ctx.path, visit);
  });
  for (const [name, action] of Object.entries(page.actions ?? {})) {
    // A reload of a refused form, and the way back from a sign-in.
    router.get(`${path}/${name}`, (context) => seeOther(pageContext(context), homeOf(context.path)));
    router.post(`${path}/${name}`, async (context) => {
      const ctx = pageContext(context);
      const home = homeOf(ctx.path);
      const visit = await signedIn.enter(ctx, { fresh: action.fresh, to: home });
      if (visit === undefined) return;
      const form = await readForm(ctx);
      if (!form.ok) return problems.refused(ctx, form.refusal, home);
      if (!guard.accepts(ctx, subject(visit), form.proven.get('form_token')))
        return problems.refused(ctx, 'form-not-ours', home);
      const outcome = await action.run(form.proven, visit, ctx);
      const told = outcome.ok ? 'done' : outcome.refusal;
      const { id } = visit.account;
      await audit.record({
        ...{ action: 'account-page', outcome: told, actor: { kind: 'member', id }, subject: { kind: 'account', id } },
        detail: { page: page.view, action: name },
      });
      ctx.state.log.info({ event: 'account', page: page.view, action: name, outcome: told }, 'account');
      if (outcome.ok) return seeOther(ctx, outcome.proven);
      await show(ctx, home, visit, outcome.refusal, form.proven, action.fieldOf?.(outcome.refusal));
    });
  }
}

const homeOf = (path: string): string => path.replace(/\/[^/]+$/, '');
