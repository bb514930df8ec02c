import type { Audit } from '../core/audit/event.ts';
import type { Clock } from '../core/clock.ts';
import type { Facts, Requirement } from '../core/journey/journey.ts';
import type { Measures } from '../core/measures.ts';
import { type Outcome, type Refusal, refused } from '../core/refusal.ts';
import { type PageContext, seeOther } from './context.ts';
import type { FormGuard } from './csrf.ts';
import { type Form, readForm } from './form.ts';
import { allowFormsTo } from './headers.ts';
import type { Guarded, IsRecordable } from './lockout.ts';
import { notBefore } from './notBefore.ts';
import { type ProblemPages, REFUSAL_STATUS } from './problems.ts';
import type { Render } from './render.ts';
import type { AnyStep, StepContext } from './step.ts';

/** One kind of journeys: how they are found and kept, what comes next in them, and how they end. */
export interface Journeys<Context extends StepContext> {
  /** The path that they lie under. */
  readonly root: '/interaction' | '/journey';
  /** A journey that is done sends the browser elsewhere, so that the last answer may do so itself. */
  readonly endsElsewhere?: true;
  readonly steps: Readonly<Partial<Record<Requirement, AnyStep<Context>>>>;
  /** Finds the journey for this browser, or answers by itself and gives undefined. */
  open(ctx: PageContext, id: string): Promise<Context | undefined>;
  next(context: Context): Requirement | 'done';
  /** The facts that are left when an earlier step is answered anew; undefined where it may not be. */
  before(context: Context, step: Requirement): Facts | undefined;
  /** Answers a GET by itself where no step is to be shown. True when it did. */
  settle(ctx: PageContext, context: Context, due: Requirement | 'done'): Promise<boolean>;
  /** Keeps the facts. False when another request has moved the journey on. */
  save(context: Context, facts: Facts): Promise<boolean>;
  /** What each view of these journeys needs. */
  locals(context: Context, step: Requirement): object;
  /** Where the forms may end besides here. */
  formTargets(context: Context): readonly string[];
  /** Where the same is begun anew, if it can be. */
  startUrl?(context: Context): string;
  /** Whose journey it is, for the log. */
  described(context: Context): { readonly clientId?: string; readonly course?: string };
}

export interface PipelineDependencies {
  readonly clock: Clock;
  readonly guard: FormGuard;
  readonly render: Render;
  readonly problems: ProblemPages;
  readonly guarded: Guarded;
  readonly isRecordable: IsRecordable;
  readonly audit: Audit;
  readonly measures: Pick<Measures, 'stepAnswered'>;
  /** Milliseconds, for steps that take an even time. */
  readonly refusalFloor: number;
}

/** The one way through every step. GET shows what is next; POST takes one answer. */
export function pipeline<Context extends StepContext>(deps: PipelineDependencies, journeys: Journeys<Context>) {
  const homeOf = (id: string) => `${journeys.root}/${id}`;
  const stepOf = (name: Requirement): AnyStep<Context> => {
    const step = journeys.steps[name];
    if (step === undefined) throw new Error(`there is no screen for ${name} here`);
    return step;
  };

  async function show(ctx: PageContext, context: Context, step: AnyStep<Context>, refusal?: Refusal, typed?: Form) {
    const { id } = context.journey;
    const locals = {
      action: `${homeOf(id)}/${step.name}`,
      adviceUrl: step.advise && `${homeOf(id)}/${step.name}/advice`,
      formToken: deps.guard.token(id),
      refusal,
      field: refusal && step.fieldOf(refusal, context),
      ...journeys.locals(context, step.name),
      ...(await step.show(context, typed)),
    };
    allowFormsTo(ctx, journeys.formTargets(context));
    const page = refusal && step.pageOf?.(refusal);
    const status = refusal === undefined ? 200 : REFUSAL_STATUS[refusal];
    // On a page of its own the refusal is the heading and not an error in a form.
    if (page !== undefined) deps.render(ctx, page, { ...locals, refusal: undefined, home: homeOf(id) }, status);
    else deps.render(ctx, typeof step.view === 'string' ? step.view : step.view(context), locals, status);
  }

  async function read(ctx: PageContext, id: string): Promise<Outcome<Form>> {
    const form = await readForm(ctx);
    if (!form.ok) return form;
    return deps.guard.accepts(ctx, id, form.proven.get('form_token')) ? form : refused('form-not-ours');
  }

  /** Lets the step judge its input; where it compares a secret, only for an attempt that was taken before. */
  async function answer(
    ctx: PageContext,
    step: AnyStep<Context>,
    input: unknown,
    context: Context,
  ): Promise<Outcome<Facts>> {
    const { identify } = step;
    if (identify === undefined) return put(step, context, await step.submit(input, context));
    let accountId: string | undefined;
    return deps.guarded(
      ctx,
      async () => {
        const target = await identify(input, context);
        accountId = 'name' in target ? target.account?.id : undefined;
        return target;
      },
      (known) => step.submit(known, context),
      (outcome) => put(step, context, outcome, accountId),
    );
  }

  /**
   * Puts an answer on record, before anything follows from it and before any wait: what could not be recorded does not happen,
   * and the wait covers the time that it took. `accountId`: whom the answer meant, where it says so.
   */
  async function put(step: AnyStep<Context>, context: Context, outcome: Outcome<Facts>, accountId?: string) {
    const facts = { ...context.journey.facts, ...(outcome.ok ? outcome.proven : {}) };
    const shown = (facts.password ?? facts.passkey ?? facts.credentials)?.accountId ?? context.account?.id;
    const { clientId, course } = journeys.described(context);
    const meant = accountId ?? shown ?? facts.name?.accountId;
    await deps.audit.record({
      ...{ action: `step.${step.name}`, outcome: outcome.ok ? 'done' : outcome.refusal },
      actor: { kind: 'member', id: shown },
      subject: meant === undefined ? undefined : { kind: 'account', id: meant },
      ...(clientId === undefined ? {} : { client: clientId }),
      ...(course === undefined ? {} : { detail: { course } }),
    });
    return outcome;
  }

  /** The form of the step that is next, or of one before it that is mended. What is none was answered already. */
  async function receive(ctx: PageContext, id: string, stepName: string) {
    const form = await read(ctx, id);
    if (!form.ok) return void deps.problems.refused(ctx, form.refusal, homeOf(id));
    const context = await journeys.open(ctx, id);
    if (context === undefined) return undefined;
    const due = journeys.next(context);
    if (due !== 'done' && due === stepName) return { form: form.proven, context, step: stepOf(due) };
    const facts = journeys.before(context, stepName as Requirement);
    // Neither the step that is next nor one that may be mended: an old tab, a second click. The GET shows what is.
    if (facts === undefined) return void seeOther(ctx, homeOf(id));
    const earlier = { ...context, journey: { ...context.journey, facts } };
    return { form: form.proven, context: earlier, step: stepOf(stepName as Requirement) };
  }

  /** After an answer a GET shows what is next. Where nothing is, the browser need not come back first to hear that. */
  async function goOn(ctx: PageContext, id: string): Promise<void> {
    if (!journeys.endsElsewhere) return seeOther(ctx, homeOf(id));
    const context = await journeys.open(ctx, id);
    if (context === undefined) return;
    const due = journeys.next(context);
    if (due !== 'done' || !(await journeys.settle(ctx, context, due))) seeOther(ctx, homeOf(id));
  }

  return {
    async get(ctx: PageContext, id: string): Promise<void> {
      const context = await journeys.open(ctx, id);
      if (context === undefined) return;
      const due = journeys.next(context);
      if ((await journeys.settle(ctx, context, due)) || due === 'done') return;
      await show(ctx, context, stepOf(due));
    },

    /** An earlier step, with what was answered there, to be mended. */
    async getStep(ctx: PageContext, id: string, stepName: string): Promise<void> {
      const context = await journeys.open(ctx, id);
      if (context === undefined) return;
      const mendable = journeys.before(context, stepName as Requirement) !== undefined;
      if (mendable) await show(ctx, context, stepOf(stepName as Requirement));
      else seeOther(ctx, `${homeOf(id)}${ctx.search}`);
    },

    /** What would be said to an answer that is still being typed. */
    async advise(ctx: PageContext, id: string, stepName: string): Promise<void> {
      const received = await receive(ctx, id, stepName);
      const input = received?.step.parse(received.form, received.context);
      if (received === undefined || !input?.ok || received.step.advise === undefined) return;
      const { refusal, level, values } = await received.step.advise(input.proven, received.context);
      const words = refusal === undefined ? `newPassword.level${level}` : `refusals.${refusal}`;
      ctx.set('Cache-Control', 'no-store');
      ctx.body = { level: refusal === undefined ? level : Math.min(level, 2), text: ctx.state.t(words, values) };
    },

    async post(ctx: PageContext, id: string, stepName: string): Promise<void> {
      const started = performance.now();
      const received = await receive(ctx, id, stepName);
      if (received === undefined) return;
      const { form, context, step } = received;
      const input = step.parse(form, context);
      const outcome = input.ok ? await answer(ctx, step, input.proven, context) : input;
      if (!input.ok && (await deps.isRecordable(ctx))) await put(step, context, input);
      const told = outcome.ok ? 'proven' : outcome.refusal;
      ctx.state.log.info({ event: 'step', step: step.name, outcome: told, ...journeys.described(context) }, 'step');
      deps.measures.stepAnswered(step.name, told);
      // Another answer was faster: its facts stand, and the GET shows what follows from them.
      if (outcome.ok && (await journeys.save(context, outcome.proven))) await step.conclude?.(outcome.proven, context);
      if (step.even && input.ok) await notBefore(started + deps.refusalFloor);
      if (outcome.ok) return goOn(ctx, id);
      if (outcome.until === undefined) return show(ctx, context, step, outcome.refusal, form);
      const { refusal, until } = outcome;
      deps.problems.locked(ctx, { refusal, until, retryAt: homeOf(id), startUrl: journeys.startUrl?.(context) });
    },
  };
}
