import Router from '@koa/router';
import type { Middleware } from 'koa';
import type { Course } from '../../core/journey/errand.ts';
import { mounted, type PageState, pageContext } from '../../http/context.ts';
import type { ProblemPages } from '../../http/problems.ts';
import type { Render } from '../../http/render.ts';
import { wordList } from '../../http/words.ts';

/** What there is help about, and what helps right away. The words of each stand under `help.topics`. */
const TOPICS = {
  'signing-in': ['forgot-username', 'forgot-password'],
  registering: ['register', 'forgot-username'],
  codes: ['lost-contact'],
  paused: ['unlock', 'forgot-password'],
  security: ['forgot-password'],
  browser: [],
} as const satisfies Readonly<Record<string, readonly Course[]>>;
type Topic = keyof typeof TOPICS;

const isTopic = (name: unknown): name is Topic => typeof name === 'string' && Object.hasOwn(TOPICS, name);

/** `GET /help` lists the topics, `GET /help/:topic` shows one. They need no session and no script. */
export function helpRoutes({ render, problems }: { render: Render; problems: ProblemPages }): Middleware<PageState> {
  const router = new Router<PageState>();
  router.get('/help', (ctx) => render(pageContext(ctx), 'help/index', { topics: Object.keys(TOPICS) }));
  router.get('/help/:topic', (ctx) => {
    const page = pageContext(ctx);
    const { topic } = ctx.params;
    if (!isTopic(topic)) return problems.notFound(page);
    const heading = `help.topics.${topic}.title`;
    const points = wordList(page.state.locale, `help.topics.${topic}.points`);
    render(page, 'help/topic', { heading, topic, points, ways: TOPICS[topic] });
  });
  return mounted(router);
}
