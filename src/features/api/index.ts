import type { Middleware } from 'koa';
import { Unavailable } from '../../core/storage/unavailable.ts';
import type { PageContext, PageState } from '../../http/context.ts';
import { type AccessDependencies, accessGate } from './access.ts';
import { versionFor } from './conditions.ts';
import { type IdempotencyDependencies, onceForEachKey } from './idempotency.ts';
import { readBody, readHeaders, readQuery } from './input.ts';
import { openApiDocument } from './openapi.ts';
import type { Api, Call } from './operation.ts';
import { findOperation } from './operations.ts';
import { isRefused, problemReply, type Refused, type Reply } from './problems.ts';

export type ApiDependencies = Api & AccessDependencies & IdempotencyDependencies;

const BASE = '/api/v1';

/**
 * The administration of clients for programs, below `/api/v1`. A request goes: operation → access → query → headers → body →
 * condition → the use case. No answer is kept anywhere, and none tells a browser that another site may read it.
 */
export function apiRoutes(deps: ApiDependencies): Middleware<PageState> {
  const admit = accessGate(deps);
  const once = onceForEachKey(deps);
  const document = openApiDocument();

  const answer = async (ctx: PageContext, path: string): Promise<Reply | Refused> => {
    if (path === '/openapi.json' && ['GET', 'HEAD'].includes(ctx.method)) return { status: 200, body: document };
    const found = findOperation(ctx.method, path);
    if ('allowed' in found) {
      const Allow = found.allowed.join(', ');
      return Allow === '' ? { problem: 'path-unknown' } : { problem: 'method-unknown', headers: { Allow } };
    }
    const { operation, id } = found;
    const caller = await admit(ctx, operation.scope);
    if (isRefused(caller)) return caller;
    if (operation.notToItself && id === caller.clientId) return { problem: 'own-registration' };
    const query = readQuery(ctx, operation.query);
    if (isRefused(query)) return query;
    const headers = readHeaders(ctx, operation.takesKey === true);
    if (isRefused(headers)) return headers;
    const body = await readBody(ctx, operation.body);
    if (isRefused(body)) return body;
    const held = await versionFor(ctx.get('If-Match'), operation.condition, () => deps.administration.find(id));
    if (isRefused(held)) return held;
    const asking = { by: `client ${caller.clientId}`, reason: headers.reason };
    const call: Call = {
      ...{ id, asking, callerId: caller.clientId },
      ...{ query: query.query, body: body.value, version: held.version },
    };
    const run = () => operation.run(deps, call);
    return headers.key === undefined ? run() : once(caller.clientId, headers.key, body.raw, run);
  };

  return async (ctx, next) => {
    if (ctx.path !== BASE && !ctx.path.startsWith(`${BASE}/`)) return next();
    let outcome: Reply | Refused;
    try {
      outcome = await answer(ctx, ctx.path.slice(BASE.length));
    } catch (error) {
      outcome = failure(ctx, error);
    }
    send(ctx, isRefused(outcome) ? problemReply(outcome, ctx.state.requestId) : outcome);
  };
}

/** What we could not do is told in the log, and to the caller by the name of the request only. */
function failure({ state }: PageContext, error: unknown): Refused {
  const isDown = error instanceof Unavailable;
  state.log.error({ err: error }, isDown ? 'a dependency does not answer' : 'a request failed');
  return isDown ? { problem: 'unavailable', headers: { 'Retry-After': '10' } } : { problem: 'failed' };
}

function send(ctx: PageContext, { status, body, headers = {} }: Reply): void {
  ctx.status = status;
  ctx.set({ 'Cache-Control': 'no-store', ...headers });
  if (body === undefined) return;
  ctx.body = JSON.stringify(body);
  ctx.set('Content-Type', headers['Content-Type'] ?? 'application/json');
}
