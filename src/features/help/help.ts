import Router from '@koa/router';
import type { Middleware } from 'koa';
import { mounted, type PageState, pageContext } from '../../http/context.ts';
import type { ProblemPages } from '../../http/problems.ts';
import type { Render } from '../../http/render.ts';
import { wordList } from '../../http/words.ts';

/** What there is help about. The words of each stand under `help.topics`. */
const TOPICS = ['signing-in', 'paused', 'security', 'browser'] as const;
type Topic = (typeof TOPICS)[number];

const isTopic = (name: unknown): name is Topic => TOPICS.includes(name as Topic);

/** `GET /help` lists the topics, `GET /help/:topic` shows one. They need no session and no script. */
export function helpRoutes({ render, problems }: { render: Render; problems: ProblemPages }): Middleware<PageState> {
  const router = new Router<PageState>();
  router.get('/help', (ctx) => render(pageContext(ctx), 'help/index', { topics: TOPICS }));
  router.get('/help/:topic', (ctx) => {
    const page = pageContext(ctx);
    const { topic } = ctx.params;
    if (!isTopic(topic)) return problems.notFound(page);
    const heading = `help.topics.${topic}.title`;
    render(page, 'help/topic', { heading, topic, points: wordList(page.state.locale, `help.topics.${topic}.points`) });
  });
  return mounted(router);
}
