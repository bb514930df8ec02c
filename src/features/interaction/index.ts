/**
 * A relying party has sent a member here and oidc-provider wants something of them. `GET /interaction/:uid` shows the
 * next screen of the journey, `POST /interaction/:uid/:step` takes an answer; the pipeline does both for every step.
 */
import Router from '@koa/router';
import type { Middleware } from 'koa';
import { mounted, type PageState, pageContext, seeOther } from '../../http/context.ts';
import { type PipelineDependencies, pipeline } from '../../http/pipeline.ts';
import { type InteractionDependencies, requestJourneys } from './journeys.ts';

export function interactionRoutes(deps: InteractionDependencies & PipelineDependencies): Middleware<PageState> {
  const journeys = requestJourneys(deps);
  const { get, getStep, post, advise } = pipeline(deps, journeys);
  const router = new Router<PageState>();
  router.get('/interaction/:uid', (ctx) => get(pageContext(ctx), String(ctx.params.uid)));
  // "Not you?": the same request, with a sign-in of its own.
  router.get('/interaction/:uid/switch', async (context) => {
    const ctx = pageContext(context);
    const opened = await journeys.open(ctx, String(context.params.uid));
    if (opened !== undefined) seeOther(ctx, await deps.requests.restartUrl(ctx));
  });
  // A reload of a refused form asks for the form's address: it belongs to the same journey.
  router.get('/interaction/:uid/:step', (ctx) =>
    getStep(pageContext(ctx), String(ctx.params.uid), String(ctx.params.step)),
  );
  router.post('/interaction/:uid/:step', (ctx) =>
    post(pageContext(ctx), String(ctx.params.uid), String(ctx.params.step)),
  );
  router.post('/interaction/:uid/:step/advice', (ctx) =>
    advise(pageContext(ctx), String(ctx.params.uid), String(ctx.params.step)),
  );
  return mounted(router);
}
