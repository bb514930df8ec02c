import { AsyncLocalStorage } from 'node:async_hooks';
import type { Middleware } from 'koa';
import type { AuditEntry } from '../core/audit/event.ts';
import { agentOf } from './agent.ts';
import type { PageContext, PageState } from './context.ts';
import { coarse, type NetworkOf } from './network.ts';

/** The request that is being answered: what is put on record on the way says by itself which it was, and from where. */
export function requestScope(networkOf: NetworkOf) {
  const requests = new AsyncLocalStorage<PageContext>();
  const enter: Middleware<PageState> = (ctx, next) => requests.run(ctx, next);
  return {
    enter,
    current: (): object | undefined => requests.getStore(),
    circumstances(): Partial<AuditEntry> {
      const ctx = requests.getStore();
      if (ctx === undefined) return {};
      return { requestId: ctx.state.requestId, network: coarse(networkOf(ctx)), device: agentOf(ctx) || undefined };
    },
  };
}
