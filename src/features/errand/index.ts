/**
 * What a member comes for besides signing in. `GET /register`, `/forgot-username`, `/forgot-password` and `/unlock` each
 * begin an errand and lead to `/journey/:id`, which shows its next screen; the pipeline does the rest as for every step.
 * `GET /account/change/:what` does the same for a member who is signed in, and just now.
 */
import { randomBytes } from 'node:crypto';
import Router from '@koa/router';
import type { Middleware } from 'koa';
import type { Account } from '../../core/account/account.ts';
import { seconds } from '../../core/clock.ts';
import { hasSecondStep, marksOf } from '../../core/factors/factors.ts';
import { levelOf } from '../../core/journey/assurance.ts';
import { CHANGES, type Change, COURSES, type Course, type Errand } from '../../core/journey/errand.ts';
import { type Facts, findJourney } from '../../core/journey/journey.ts';
import type { Contact } from '../../core/membership/membership.ts';
import type { Expiring } from '../../core/storage/expiring.ts';
import type { Invitations } from '../../core/support/invitations.ts';
import { mounted, type PageContext, type PageState, pageContext, seeOther } from '../../http/context.ts';
import { type LinkDependencies, mountLink } from '../../http/link.ts';
import { type PipelineDependencies, pipeline } from '../../http/pipeline.ts';
import { type ErrandDependencies, errandJourneys } from './journeys.ts';

interface ChangeDependencies extends LinkDependencies {
  readonly invitations: Pick<Invitations, 'find'>;
  readonly expiring: Expiring;
  /** The contact of an account that an address of ours means. */
  readonly contactBy: (account: Account, handle: unknown) => Contact | undefined;
}

type Invited = NonNullable<Awaited<ReturnType<Invitations['find']>>>;

export function errandRoutes(
  deps: ErrandDependencies & PipelineDependencies & ChangeDependencies,
): Middleware<PageState> {
  const { get, getStep, post, advise } = pipeline(deps, errandJourneys(deps));

  /** The sign-in page that it was begun on, if it was. */
  async function fromOf(ctx: PageContext): Promise<Pick<Errand, 'from'>> {
    const asked = String(ctx.query.from ?? '');
    const journey = /^[\w-]{1,64}$/.test(asked) ? await findJourney(deps.expiring, asked) : undefined;
    return journey === undefined ? {} : { from: { interactionId: journey.id, clientId: journey.clientId } };
  }

  const begin = async (ctx: PageContext, course: Course) => open(ctx, { course, ...(await fromOf(ctx)) });

  async function beginChange(ctx: PageContext, course: Change): Promise<void> {
    const visit = await deps.signedIn.enter(ctx, { fresh: true, to: ctx.path + ctx.search });
    if (visit === undefined) return;
    const { account, session } = visit;
    const [accountId, epoch] = [account.id, account.value.deviceEpoch];
    // What the fresh sign-in has shown beside the password lets another second step be set up.
    const second = { at: session.authTime, accountId, epoch, amr: session.amr };
    const asked = deps.contactBy(account.value, ctx.query.instead);
    // An email address takes the place of another, and a phone of another: removing the last of a kind has a page of its own.
    const instead = asked && (asked.kind === 'email') === (course === 'email') ? asked : undefined;
    await open(
      ctx,
      { course, owner: { accountId, epoch }, ...(await fromOf(ctx)) },
      {
        ...(levelOf(session.acr) >= 2 ? { second } : {}),
        ...(instead === undefined ? {} : { instead: { at: session.authTime, to: instead.to } }),
      },
    );
  }

  async function open(ctx: PageContext, errand: Pick<Errand, 'course' | 'from' | 'owner'>, facts: Facts = {}) {
    const id = randomBytes(24).toString('base64url');
    const { locale } = ctx.state;
    await deps.errands.begin({ ...errand, id, locale, browser: deps.browser.mark(ctx) }, deps.clock.now(), facts);
    seeOther(ctx, `/journey/${id}`);
  }

  /** By the link of our support desk: it has been shown that a contact on file is the member's, and nothing else yet. */
  async function beginInvited(ctx: PageContext, { account, kind, way }: Invited): Promise<void> {
    const { id: accountId, value } = account;
    const [at, epoch] = [seconds(deps.clock), value.deviceEpoch];
    const needsSecond = kind === 'password' && hasSecondStep(value);
    await deps.audit.record({
      action: 'invitation-used',
      subject: { kind: 'account', id: accountId },
      detail: { kind },
    });
    await open(
      ctx,
      { course: kind === 'password' ? 'forgot-password' : 'new-second-step' },
      {
        name: {
          at,
          typed: value.username,
          accountId,
          epoch,
          ...(kind === 'second-step' ? { marks: marksOf(value) } : {}),
        },
        code: { at, way, ...(needsSecond ? { needsSecond } : {}) },
      },
    );
  }

  const router = new Router<PageState>();
  mountLink(router, deps, {
    path: '/invitation',
    view: 'errand/invitation',
    gone: 'errand/no-invitation',
    async show(secret) {
      const found = await deps.invitations.find(secret);
      return found && { kind: found.kind, heading: `errand.invitation.title.${found.kind}` };
    },
    async act(secret, ctx) {
      const found = await deps.invitations.find(secret);
      if (found === undefined) return undefined;
      await beginInvited(ctx, found);
      return 'away';
    },
  });
  for (const course of COURSES) router.get(`/${course}`, (ctx) => begin(pageContext(ctx), course));
  for (const change of CHANGES) router.get(`/account/change/${change}`, (ctx) => beginChange(pageContext(ctx), change));
  router.get('/journey/:id', (ctx) => get(pageContext(ctx), String(ctx.params.id)));
  router.get('/journey/:id/:step', (ctx) => getStep(pageContext(ctx), String(ctx.params.id), String(ctx.params.step)));
  router.post('/journey/:id/:step', (ctx) => post(pageContext(ctx), String(ctx.params.id), String(ctx.params.step)));
  router.post('/journey/:id/:step/advice', (ctx) =>
    advise(pageContext(ctx), String(ctx.params.id), String(ctx.params.step)),
  );
  return mounted(router);
}
