/**
 * A relying party has sent a member here and oidc-provider wants something of them. `GET /interaction/:uid` shows the
 * next screen of the journey, `POST /interaction/:uid/:step` takes an answer; the pipeline does both for every step.
 */
import Router from '@koa/router';
import type { Middleware } from 'koa';
import { mounted, type PageState, pageContext } from '../../http/context.ts';
import { type PipelineDependencies, pipeline } from '../../http/pipeline.ts';

export function interactionRoutes(deps: PipelineDependencies): Middleware<PageState> {
  const { get, post, advise, switchAccount } = pipeline(deps);
  const router = new Router<PageState>();
  router.get('/interaction/:uid', (ctx) => get(pageContext(ctx), String(ctx.params.uid)));
  router.get('/interaction/:uid/switch', (ctx) => switchAccount(pageContext(ctx), String(ctx.params.uid)));
  // A reload of a refused form asks for the form's address: it belongs to the same journey.
  router.get('/interaction/:uid/:step', (ctx) => ctx.redirect(`/interaction/${ctx.params.uid}${ctx.search}`));
  router.post('/interaction/:uid/:step', (ctx) =>
    post(pageContext(ctx), String(ctx.params.uid), String(ctx.params.step)),
  );
  router.post('/interaction/:uid/:step/advice', (ctx) =>
    advise(pageContext(ctx), String(ctx.params.uid), String(ctx.params.step)),
  );
  return mounted(router);
}
