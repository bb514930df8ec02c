import { randomBytes } from 'node:crypto';
import Router from '@koa/router';
import type { Middleware } from 'koa';
import { type Account, contactsOf } from '../../core/account/account.ts';
import { beginRecovery, stopDigest, stopRecovery } from '../../core/account/recovery.ts';
import type { Clock } from '../../core/clock.ts';
import type { Contact } from '../../core/membership/membership.ts';
import { type Collection, change } from '../../core/storage/collection.ts';
import type { Expiring } from '../../core/storage/expiring.ts';
import { agentOf } from '../../http/agent.ts';
import { mounted, type PageState } from '../../http/context.ts';
import { type LinkDependencies, mountLink } from '../../http/link.ts';
import type { Post } from '../../http/post.ts';

export interface BeginDependencies {
  readonly accounts: Collection<Account>;
  readonly expiring: Expiring;
  readonly clock: Clock;
  readonly post: Post;
  readonly issuer: string;
}

const key = (secret: string): string => `recovery:${stopDigest(secret)}`;

/**
 * Begins the wait, tells every address of it with the link that stops it, and puts down the message that says when it is
 * over. Returns when that is, in seconds since 1970; where one is waited for already, that one goes on.
 */
export async function begin(
  { accounts, expiring, clock, post, issuer }: BeginDependencies,
  accountId: string,
  contact: Contact,
  onFile: readonly Contact[],
): Promise<number> {
  const secret = randomBytes(24).toString('base64url');
  const started = await beginRecovery(accounts, clock, accountId, { contact, secret });
  if (started === undefined) throw new Error('the account that is to be recovered is gone');
  const { began, recovery } = started;
  if (!began) return recovery.readyAt;
  const [readyAt, until] = [recovery.readyAt * 1_000, recovery.until * 1_000];
  await expiring.put(key(secret), { accountId }, until);
  const account = (await accounts.find(accountId))?.value;
  if (account === undefined) return recovery.readyAt;
  const values = { at: readyAt, link: `${issuer}/stop-recovery/${secret}` };
  await post.tellOwner(accountId, account, 'recovery-started', values, { also: onFile });
  const message = await post.tellLater(contact, account.locale, 'recovery-ready', {}, { from: readyAt, until });
  const stop = stopDigest(secret);
  const kept = await change(accounts, accountId, (now) =>
    now.recovery?.stop === stop ? { ...now, recovery: { ...now.recovery, message } } : undefined,
  );
  // Stopped in between, by somebody who is quick.
  if (kept?.recovery?.stop !== stop) await post.withdraw(message);
  return recovery.readyAt;
}

/** The link in the messages by which whoever has one of the account's addresses stops the recovery. */
export function stopRoutes(deps: BeginDependencies & LinkDependencies): Middleware<PageState> {
  const { accounts, expiring, post } = deps;
  const accountOf = async (secret: string): Promise<string | undefined> => {
    const entry = /^[\w-]{32}$/.test(secret) ? await expiring.get(key(secret)) : undefined;
    const accountId = (entry?.value as { accountId?: string } | undefined)?.accountId;
    const account = accountId === undefined ? undefined : await accounts.find(accountId);
    return account?.value.recovery?.stop === stopDigest(secret) ? accountId : undefined;
  };

  const router = new Router<PageState>();
  mountLink(router, deps, {
    path: '/stop-recovery',
    view: 'recovery/stop',
    gone: 'recovery/nothing-to-stop',
    show: async (secret) => ((await accountOf(secret)) === undefined ? undefined : {}),
    async act(secret, ctx) {
      const accountId = await accountOf(secret);
      const stopped = accountId === undefined ? undefined : await stopRecovery(accounts, accountId, secret);
      if (accountId === undefined || stopped === undefined) return undefined;
      const { account, recovery } = stopped;
      if (recovery.message !== undefined) await post.withdraw(recovery.message);
      const also = contactsOf(account).some(({ to }) => to === recovery.contact.to) ? [] : [recovery.contact];
      await post.tellOwner(accountId, account, 'recovery-stopped', {}, { also, agent: agentOf(ctx) });
      ctx.state.log.info({ event: 'recovery-stopped', accountId }, 'recovery');
      return { view: 'recovery/stopped' };
    },
  });
  return mounted(router);
}
