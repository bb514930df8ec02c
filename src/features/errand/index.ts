/**
 * What a member comes for besides signing in. `GET /register`, `/forgot-username`, `/forgot-password` and `/unlock` each
 * begin an errand and lead to `/journey/:id`, which shows its next screen; the pipeline does the rest as for every step.
 */
import { randomBytes } from 'node:crypto';
import Router from '@koa/router';
import type { Middleware } from 'koa';
import { COURSES, type Course } from '../../core/journey/errand.ts';
import { findJourney } from '../../core/journey/journey.ts';
import type { Expiring } from '../../core/storage/expiring.ts';
import { mounted, type PageContext, type PageState, pageContext, seeOther } from '../../http/context.ts';
import { type PipelineDependencies, pipeline } from '../../http/pipeline.ts';
import { type ErrandDependencies, errandJourneys } from './journeys.ts';

export function errandRoutes(
  deps: ErrandDependencies & PipelineDependencies & { readonly expiring: Expiring },
): Middleware<PageState> {
  const { get, getStep, post, advise } = pipeline(deps, errandJourneys(deps));

  async function begin(ctx: PageContext, course: Course): Promise<void> {
    const asked = String(ctx.query.from ?? '');
    const journey = /^[\w-]{1,64}$/.test(asked) ? await findJourney(deps.expiring, asked) : undefined;
    const from = journey && { interactionId: journey.id, clientId: journey.clientId };
    const id = randomBytes(24).toString('base64url');
    const { locale } = ctx.state;
    const errand = { id, course, locale, browser: deps.browser.mark(ctx), ...(from === undefined ? {} : { from }) };
    await deps.errands.begin(errand, deps.clock.now());
    seeOther(ctx, `/journey/${id}`);
  }

  const router = new Router<PageState>();
  for (const course of COURSES) router.get(`/${course}`, (ctx) => begin(pageContext(ctx), course));
  router.get('/journey/:id', (ctx) => get(pageContext(ctx), String(ctx.params.id)));
  router.get('/journey/:id/:step', (ctx) => getStep(pageContext(ctx), String(ctx.params.id), String(ctx.params.step)));
  router.post('/journey/:id/:step', (ctx) => post(pageContext(ctx), String(ctx.params.id), String(ctx.params.step)));
  router.post('/journey/:id/:step/advice', (ctx) =>
    advise(pageContext(ctx), String(ctx.params.id), String(ctx.params.step)),
  );
  return mounted(router);
}
