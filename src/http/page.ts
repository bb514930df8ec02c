import { randomUUID } from 'node:crypto';
import type Router from '@koa/router';
import type { Audit } from '../core/audit/event.ts';
import { type Outcome, type Refusal, refused as refusedFor } from '../core/refusal.ts';
import { type PageContext, type PageState, pageContext, seeOther } from './context.ts';
import type { FormGuard } from './csrf.ts';
import { type Form, readForm, readUpload } from './form.ts';
import { allowFormsTo } from './headers.ts';
import { type ProblemPages, REFUSAL_STATUS } from './problems.ts';
import type { Render } from './render.ts';
import { sessionNotice } from './sessionNotice.ts';
import type { Visit } from './signedIn.ts';

/** A form on a page: what it does, and where the browser goes then, or why not. */
interface Action<V extends Visit, May> {
  /** Whether it needs a fresh sign-in. */
  readonly fresh: boolean;
  /** What one has to be allowed; otherwise what the page asks for. */
  readonly may?: May;
  /** Its form brings a file (`readUpload`). */
  readonly upload?: boolean;
  /** For staff: whether this answer of the form has to say that they know what follows from it (`sure`). */
  readonly sure?: (form: Form) => boolean;
  /** For staff: it has no reason of its own, since one was given on the way here. */
  readonly explained?: true;
  /** For staff: what it shows cannot be shown again, so that the form counts once, also where it is sent again by a reload. */
  readonly once?: boolean;
  /** Answers with where the browser goes, or with a page that is shown this once. */
  run(
    form: Form,
    visit: V,
    ctx: PageContext,
  ): Promise<Outcome<string | { readonly view: string; readonly locals: object }>>;
  fieldOf?(refusal: Refusal): string;
}

/** A page for who is signed in: what it shows, and what its forms do. */
export interface Page<V extends Visit = Visit, May = undefined> {
  /** Below the root of these pages; empty for the front page. May have parameters. */
  readonly path: string;
  readonly view: string;
  /** Its forms need a fresh sign-in: it is asked for before they are seen. */
  readonly fresh?: boolean;
  /** What one has to be allowed to see it. */
  readonly may?: May;
  /** Undefined where there is no such thing, which leads back to the front page. */
  show(visit: V, ctx: PageContext, typed?: Form): Promise<object | undefined>;
  /** By the last part of their address. */
  readonly actions?: Readonly<Record<string, Action<V, May>>>;
}

export interface PageDependencies<V extends Visit = Visit, May = undefined> {
  /** Such as `/account`. */
  readonly root: string;
  /** Who comes here; undefined where that was answered already, by sending them to sign in or away. */
  readonly enter: (
    ctx: PageContext,
    entry: { readonly fresh: boolean; readonly to?: string; readonly may: May | undefined },
  ) => Promise<V | undefined>;
  /** What a page may say that has just been done. */
  readonly done: readonly string[];
  readonly guard: FormGuard;
  readonly render: Render;
  readonly problems: ProblemPages;
  readonly audit: Audit;
  /** As whom people act on these pages. Staff say why they do what they do. */
  readonly actor: 'member' | 'staff';
  /** True for one use of a key, whichever process hears of it first. Staff's pages need it. */
  readonly firstTime?: ((key: string) => Promise<boolean>) | undefined;
}

/** Why somebody of the staff does what a form does, for the record; empty where they have not said. */
export const reasonIn = (form: Form): string => (form.get('reason') ?? '').normalize('NFC').trim().slice(0, 500);

/** What staff have left out, and the field of it, behind the name of the form. */
const UNSAID: Readonly<Partial<Record<Refusal, string>>> = { 'reason-missing': 'reason', 'not-sure': 'sure' };

interface Refused {
  readonly refusal: Refusal;
  readonly field: string | undefined;
  readonly typed: Form;
  /** The form that it was. */
  readonly action: string;
}

const subject = (root: string, { session }: Visit): string => `${root}:${session.uid}`;

/** Mounts a page: it needs a session, and its forms need it to be the one that they were shown in. */
export function mountPage<V extends Visit, May>(
  router: Router<PageState>,
  deps: PageDependencies<V, May>,
  page: Page<V, May>,
): void {
  const { root, enter, guard, render, problems, audit, actor } = deps;

  /** What keeps a form of staff from being looked at. */
  async function unsaid(
    { sure, once, explained }: Action<V, May>,
    form: Form,
    { session }: V,
  ): Promise<Refusal | undefined> {
    if (actor === 'member') return undefined;
    if (!explained && reasonIn(form) === '') return 'reason-missing';
    if (sure?.(form) && !form.has('sure')) return 'not-sure';
    const isNew = !once || (await deps.firstTime?.(`form:${session.uid}:${form.get('once')}`));
    return isNew ? undefined : 'sent-before';
  }

  async function show(ctx: PageContext, home: string, visit: V, refused?: Refused) {
    const { refusal, field, typed, action } = refused ?? {};
    const locals = await page.show(visit, ctx, typed);
    // What a form was about is gone.
    if (locals === undefined && refusal !== undefined) return problems.refused(ctx, refusal, root);
    if (locals === undefined) return seeOther(ctx, root);
    allowFormsTo(ctx, []);
    const { endsAt } = visit.session;
    const common = { home, formToken: guard.token(subject(root, visit)), session: sessionNotice(endsAt, guard, home) };
    const asked = deps.done.find((what) => what === ctx.query.done);
    const status = refusal === undefined ? 200 : REFUSAL_STATUS[refusal];
    const said = { action, reason: typed?.get('reason') ?? '', sure: typed?.has('sure') === true };
    const forStaff = actor === 'staff' ? { said, once: randomUUID() } : {};
    render(ctx, page.view, { ...common, ...forStaff, done: asked, refusal, field, ...locals }, status);
  }

  const path = root + page.path;
  router.get(path, async (context) => {
    const ctx = pageContext(context);
    const visit = await enter(ctx, { fresh: page.fresh === true, to: ctx.path + ctx.search, may: page.may });
    if (visit !== undefined) await show(ctx, ctx.path, visit);
  });
  for (const [name, action] of Object.entries(page.actions ?? {})) {
    // A reload of a refused form, and the way back from a sign-in.
    router.get(`${path}/${name}`, (context) => seeOther(pageContext(context), homeOf(context.path)));
    router.post(`${path}/${name}`, async (context) => {
      const ctx = pageContext(context);
      const home = homeOf(ctx.path);
      const visit = await enter(ctx, { fresh: action.fresh, to: home, may: action.may ?? page.may });
      if (visit === undefined) return;
      const form = await (action.upload === true ? readUpload : readForm)(ctx);
      if (!form.ok) return problems.refused(ctx, form.refusal, home);
      if (!guard.accepts(ctx, subject(root, visit), form.proven.get('form_token')))
        return problems.refused(ctx, 'form-not-ours', home);
      const missing = await unsaid(action, form.proven, visit);
      const outcome = missing === undefined ? await action.run(form.proven, visit, ctx) : refusedFor(missing);
      const told = outcome.ok ? 'done' : outcome.refusal;
      const { id } = visit.account;
      await audit.record({
        ...{ action: `${actor}-page`, outcome: told, actor: { kind: actor, id } },
        ...(actor === 'member' ? { subject: { kind: 'account', id } } : {}),
        ...(actor === 'staff' ? { reason: reasonIn(form.proven) || undefined } : {}),
        detail: { page: page.view, action: name },
      });
      ctx.state.log.info({ event: 'page', page: page.view, action: name, outcome: told }, 'page');
      if (!outcome.ok) {
        const { refusal } = outcome;
        const field = UNSAID[refusal] === undefined ? action.fieldOf?.(refusal) : `${name}-${UNSAID[refusal]}`;
        return show(ctx, home, visit, { refusal, field, typed: form.proven, action: name });
      }
      if (typeof outcome.proven === 'string') return seeOther(ctx, outcome.proven);
      const { view, locals } = outcome.proven;
      render(ctx, view, { home, session: sessionNotice(visit.session.endsAt, guard, home), ...locals });
    });
  }
}

const homeOf = (path: string): string => path.replace(/\/[^/]+$/, '');
