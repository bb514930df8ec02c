import Router from '@koa/router';
import type { Middleware } from 'koa';
import { type Account, addressesOf } from '../../core/account/account.ts';
import { restoreContacts } from '../../core/account/contactChange.ts';
import { afterObjection, OBJECTION_DAYS, type Objectionable, type Objections } from '../../core/account/objections.ts';
import { type Case, caseNumber } from '../../core/audit/cases.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import { type Collection, change } from '../../core/storage/collection.ts';
import { agentOf } from '../../http/agent.ts';
import { mounted, type PageState } from '../../http/context.ts';
import { type LinkDependencies, mountLink } from '../../http/link.ts';
import type { Post } from '../../http/post.ts';

export interface NotMeDependencies extends LinkDependencies {
  readonly accounts: Collection<Account>;
  readonly cases: Collection<Case>;
  readonly objections: Objections;
  readonly post: Post;
  readonly clock: Clock;
  readonly endSessions: (accountId: string) => Promise<void>;
}

/**
 * Closes the account to everybody until a new password was set by a code, and puts back how its owner is reached and shows
 * that it is them. Every part may be done twice: who presses the button again after a fault goes on where it broke off.
 */
async function secure(deps: NotMeDependencies, { accountId, before }: Objectionable): Promise<void> {
  const { accounts, post, clock, endSessions } = deps;
  let waiting: string | undefined;
  await change(accounts, accountId, (now) => {
    waiting = now.recovery?.message;
    return afterObjection(now, before, seconds(clock));
  });
  // Before anything can fail elsewhere: where the codes of the reset go is not for the thief to say.
  await restoreContacts(accounts, accountId, before.contacts, seconds(clock));
  await endSessions(accountId);
  if (waiting !== undefined) await post.withdraw(waiting);
}

/** "This wasn't me", the link in every message that tells of a change. */
export function notMeRoutes(deps: NotMeDependencies): Middleware<PageState> {
  const { accounts, cases, objections, post, clock } = deps;
  const router = new Router<PageState>();
  mountLink(router, deps, {
    path: '/not-me',
    view: 'account/not-me',
    gone: 'account/nothing-to-object',
    goneLocals: { days: OBJECTION_DAYS },
    async show(secret) {
      const found = await objections.find(secret);
      return found && { what: found.what, at: found.at };
    },
    async act(secret, ctx) {
      const found = await objections.find(secret);
      const account = found && (await accounts.find(found.accountId));
      if (found === undefined || account === undefined) return undefined;
      const { accountId, what, at } = found;
      await secure(deps, found);
      const number = caseNumber(secret);
      const opened: Case = {
        accountId,
        what,
        happenedAt: Math.floor(at / 1_000),
        openedAt: seconds(clock),
        status: 'open',
      };
      const isNew = (await cases.insert(number, opened)) === 'inserted';
      const after = (await accounts.find(accountId))?.value ?? account.value;
      // The addresses of before as well: it may be they that are right.
      const also = addressesOf(account.value);
      if (isNew) await post.tellOwner(accountId, after, 'not-me', { number }, { also, agent: agentOf(ctx) });
      await objections.spend(found);
      ctx.state.log.warn({ event: 'not-me', accountId, what, case: number }, 'a member objects');
      return { view: 'account/secured', locals: { number } };
    },
  });
  return mounted(router);
}
