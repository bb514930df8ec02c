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
  readonly clock: Clock;
  readonly post: Post;
  readonly issuer: string;
}

/**
 * What stands in the link: the secret and the account, so that nothing but the account itself is needed to stop it, whatever else was
 * lost meanwhile.
 */
const LINKED = /^(?<secret>[\w-]{32})(?<accountId>.*)$/;

/**
 * Begins the wait, tells every address of it with the link that stops it, and puts down the message that says when it is
 * over. Returns when that is, in seconds since 1970; where one is waited for already, that one goes on.
 */
export async function begin(
  { accounts, clock, post, issuer }: BeginDependencies,
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
  const account = (await accounts.find(accountId))?.value;
  if (account === undefined) return recovery.readyAt;
  const values = { at: readyAt, link: `${issuer}/stop-recovery/${secret}${accountId}` };
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
export function stopRoutes(
  deps: BeginDependencies & LinkDependencies & { readonly expiring: Expiring },
): Middleware<PageState> {
  const { accounts, expiring, post } = deps;
  const opened = async (linked: string): Promise<{ secret: string; accountId: string } | undefined> => {
    const { secret = '', accountId: named = '' } = LINKED.exec(linked)?.groups ?? {};
    // Links that the version before has sent, which are good for eight days.
    const accountId = named === '' && secret !== '' ? await accountBehind(secret) : named;
    const account = accountId === '' ? undefined : await accounts.find(accountId);
    return account?.value.recovery?.stop === stopDigest(secret) ? { secret, accountId } : undefined;
  };
  const accountBehind = async (secret: string): Promise<string> => {
    const entry = await expiring.get(`recovery:${stopDigest(secret)}`);
    return (entry?.value as { accountId?: string } | undefined)?.accountId ?? '';
  };

  const router = new Router<PageState>();
  mountLink(router, deps, {
    path: '/stop-recovery',
    view: 'recovery/stop',
    gone: 'recovery/nothing-to-stop',
    show: async (linked) => ((await opened(linked)) === undefined ? undefined : {}),
    async act(linked, ctx) {
      const link = await opened(linked);
      const stopped = link && (await stopRecovery(accounts, link.accountId, link.secret));
      if (link === undefined || stopped === undefined) return undefined;
      const { accountId } = link;
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
