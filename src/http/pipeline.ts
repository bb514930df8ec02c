import {
  type App,
  type ClientDirectory,
  type ClientMetadata,
  describeApp,
  findMetadata,
  formTargets,
} from '../core/client/client.ts';
import type { Clock } from '../core/clock.ts';
import { type AuthorizationRequest, type RequestResult, resultOf } from '../core/journey/authorizationRequest.ts';
import { addFacts, type Facts, findJourney, nextStep, type Requirement } from '../core/journey/journey.ts';
import type { Measures } from '../core/measures.ts';
import { type Outcome, type Refusal, refused } from '../core/refusal.ts';
import { SESSION_WARNING } from '../core/session/limits.ts';
import type { Expiring } from '../core/storage/expiring.ts';
import { type PageContext, seeOther } from './context.ts';
import { EXTEND_SESSION, type FormGuard } from './csrf.ts';
import { type Form, readForm } from './form.ts';
import { allowFormsTo } from './headers.ts';
import { applyUiLocales } from './locale.ts';
import type { Guarded } from './lockout.ts';
import { type ProblemPages, REFUSAL_STATUS } from './problems.ts';
import type { RememberedName } from './rememberedName.ts';
import type { Render } from './render.ts';
import type { AnyStep, StepContext } from './step.ts';

/** The authorization requests that wait for a member; oidc-provider keeps them. */
interface AuthorizationRequests {
  find(ctx: PageContext, id: string): Promise<AuthorizationRequest | undefined>;
  hasSession(ctx: PageContext): Promise<boolean>;
  finish(ctx: PageContext, result: RequestResult): Promise<string>;
  restartUrl(ctx: PageContext): Promise<string>;
}

export interface PipelineDependencies {
  readonly requests: AuthorizationRequests;
  /** Whether what was proven still counts. */
  readonly stillHolds: (facts: Facts) => Promise<boolean>;
  readonly clients: ClientDirectory;
  readonly expiring: Expiring;
  readonly clock: Clock;
  readonly guard: FormGuard;
  readonly render: Render;
  readonly problems: ProblemPages;
  readonly steps: Readonly<Record<Requirement, AnyStep>>;
  readonly issuer: string;
  readonly guarded: Guarded;
  readonly usernames: RememberedName;
  readonly measures: Pick<Measures, 'stepAnswered'>;
}

interface Opened extends StepContext {
  readonly client: ClientMetadata;
  readonly app: App;
}

/** The one way through every step. GET shows what is next; POST takes one answer. */
export function pipeline(deps: PipelineDependencies) {
  /** The request is gone: answered already, or too old. Who is signed in by now goes on to the app without a word. */
  async function lost(ctx: PageContext, client?: ClientMetadata): Promise<undefined> {
    const app = client && describeApp(client, deps.issuer);
    if (app?.wayBack !== undefined && (await deps.requests.hasSession(ctx))) seeOther(ctx, app.wayBack);
    else deps.problems.expired(ctx, app);
  }

  /** Finds the journey, the request and the app, or shows the way back. */
  async function open(ctx: PageContext, id: string): Promise<Opened | undefined> {
    const found = await findJourney(deps.expiring, id);
    if (found === undefined) return lost(ctx);
    const journey = (await deps.stillHolds(found.facts)) ? found : { ...found, facts: {} };
    const client = await findMetadata(deps.clients, journey.clientId);
    const request = await deps.requests.find(ctx, id);
    if (client !== undefined && request !== undefined) {
      applyUiLocales(ctx, request.uiLocales);
      const app = describeApp(client, deps.issuer);
      return { journey, request, client, app, rememberedName: deps.usernames.get(ctx) };
    }
    return lost(ctx, client);
  }

  const next = ({ journey, request }: Opened) => nextStep(journey.facts, new Set([request.requirement]));

  async function show(ctx: PageContext, opened: Opened, step: AnyStep, refusal?: Refusal, typed?: Form) {
    const { journey, app, client } = opened;
    const locals = {
      app,
      action: `/interaction/${journey.id}/${step.name}`,
      switchUrl: `/interaction/${journey.id}/switch`,
      adviceUrl: step.advise && `/interaction/${journey.id}/${step.name}/advice`,
      formToken: deps.guard.token(journey.id),
      refusal,
      field: refusal && step.fieldOf(refusal),
      session: sessionNotice(opened, deps, `/interaction/${journey.id}`),
      ...(await step.show(opened, typed)),
    };
    allowFormsTo(ctx, formTargets(client));
    deps.render(ctx, step.view, locals, refusal === undefined ? 200 : REFUSAL_STATUS[refusal]);
  }

  async function read(ctx: PageContext, id: string): Promise<Outcome<Form>> {
    const form = await readForm(ctx);
    if (!form.ok) return form;
    return deps.guard.accepts(ctx, id, form.proven.get('form_token')) ? form : refused('form-not-ours');
  }

  /** Lets the step judge its input; where it compares a secret, only for an attempt that was taken before. */
  function answer(ctx: PageContext, step: AnyStep, input: unknown, opened: Opened): Promise<Outcome<Facts>> {
    const { identify } = step;
    if (identify === undefined) return step.submit(input, opened);
    return deps.guarded(
      ctx,
      () => identify(input),
      (known) => step.submit(known, opened),
    );
  }

  /** The form of the step that is next. What is none was answered already. */
  async function receive(ctx: PageContext, id: string, stepName: string) {
    const home = `/interaction/${id}`;
    const form = await read(ctx, id);
    if (!form.ok) return void deps.problems.refused(ctx, form.refusal, home);
    const opened = await open(ctx, id);
    if (opened === undefined) return undefined;
    const due = next(opened);
    // Not the step that is next: an old tab, a second click. The GET shows what is.
    if (due === 'done' || due !== stepName) return void seeOther(ctx, home);
    return { form: form.proven, opened, step: deps.steps[due] };
  }

  return {
    async get(ctx: PageContext, id: string): Promise<void> {
      const opened = await open(ctx, id);
      if (opened === undefined) return;
      const step = next(opened);
      const finish = async (result: RequestResult) => seeOther(ctx, await deps.requests.finish(ctx, result));
      if (step === 'done') return finish(resultOf(opened.journey.facts));
      // Nobody is signed in, so there is nobody to choose: the sign-in page follows.
      if (step === 'account' && opened.request.accountId === undefined) return finish({ select_account: {} });
      if (opened.request.onlyNeedsASession && (await deps.requests.hasSession(ctx))) {
        return finish({});
      }
      await show(ctx, opened, deps.steps[step]);
    },

    /** "Not you?": the same request, with a sign-in of its own. */
    async switchAccount(ctx: PageContext, id: string): Promise<void> {
      if ((await open(ctx, id)) !== undefined) seeOther(ctx, await deps.requests.restartUrl(ctx));
    },

    /** What would be said to an answer that is still being typed. */
    async advise(ctx: PageContext, id: string, stepName: string): Promise<void> {
      const received = await receive(ctx, id, stepName);
      const input = received?.step.parse(received.form);
      if (received === undefined || !input?.ok || received.step.advise === undefined) return;
      const { refusal, level, values } = await received.step.advise(input.proven, received.opened);
      const words = refusal === undefined ? `newPassword.level${level}` : `refusals.${refusal}`;
      ctx.set('Cache-Control', 'no-store');
      ctx.body = { level: refusal === undefined ? level : Math.min(level, 2), text: ctx.state.t(words, values) };
    },

    async post(ctx: PageContext, id: string, stepName: string): Promise<void> {
      const home = `/interaction/${id}`;
      const received = await receive(ctx, id, stepName);
      if (received === undefined) return;
      const { form, opened, step } = received;
      const input = step.parse(form);
      const outcome = input.ok ? await answer(ctx, step, input.proven, opened) : input;
      const told = outcome.ok ? 'proven' : outcome.refusal;
      const { clientId } = opened.journey;
      ctx.state.log.info({ event: 'step', step: step.name, outcome: told, clientId }, 'step');
      deps.measures.stepAnswered(step.name, told);
      if (!outcome.ok && outcome.until !== undefined) return deps.problems.locked(ctx, outcome.until, home);
      if (!outcome.ok) return show(ctx, opened, step, outcome.refusal, form);
      // Another answer was faster: its facts stand, and the GET shows what follows from them.
      if (await addFacts(deps.expiring, opened.journey, outcome.proven, deps.clock.now())) {
        await step.conclude?.(outcome.proven, opened);
      }
      seeOther(ctx, home);
    },
  };
}

/** What the page needs to warn before the session ends, where there is one. */
function sessionNotice(
  { request: { sessionEndsAt } }: StepContext,
  deps: Pick<PipelineDependencies, 'guard'>,
  back: string,
) {
  return sessionEndsAt === undefined
    ? undefined
    : { endsAt: sessionEndsAt, warning: SESSION_WARNING, formToken: deps.guard.token(EXTEND_SESSION), back };
}
