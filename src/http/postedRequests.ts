import { randomBytes } from 'node:crypto';
import type { Middleware } from 'koa';
import { type ClientDirectory, findMetadata } from '../core/client/client.ts';
import type { Clock } from '../core/clock.ts';
import type { Expiring } from '../core/storage/expiring.ts';
import { type PageState, pageContext, routePath, seeOther } from './context.ts';
import { readBody } from './form.ts';
import type { ProblemPages } from './problems.ts';

/** The endpoints that a relying party may also reach by POST (OpenID Connect Core 3.1.2.1, RP-Initiated Logout 1.0, 2). */
const PATHS = new Set(['/auth', '/session/end']);
/** Longer queries do not fit through every proxy. */
const QUERY_MAX = 4_096;
const LIMIT = '64kb';
/** Kept this long: the browser follows at once, or not at all. */
const KEPT_MS = 5 * 60 * 1000;
const REFERENCE = 'posted';

/**
 * Answers a POST by 303 to GET with the same parameters, so that cookies can stay SameSite=Lax: on a POST from another
 * site the browser would not send them. Long parameters stay here, under a reference.
 */
export function postedRequests(
  clients: ClientDirectory,
  expiring: Expiring,
  clock: Clock,
  problems: ProblemPages,
): Middleware<PageState> {
  const key = (reference: string) => `posted:${reference}`;
  return async (context, next) => {
    const ctx = pageContext(context);
    const path = routePath(ctx);
    if (!PATHS.has(path)) return next();
    if (ctx.method === 'POST') {
      const body = await readBody(ctx, LIMIT);
      if (!body.ok) return problems.refused(ctx, body.refusal, '/');
      let query = body.proven;
      if (query.length > QUERY_MAX) {
        // Nothing is kept for nobody.
        const client = new URLSearchParams(query).get('client_id') ?? undefined;
        if ((await findMetadata(clients, client)) === undefined) return problems.refused(ctx, 'form-too-large', '/');
        const reference = randomBytes(16).toString('base64url');
        await expiring.put(key(reference), { query }, clock.now() + KEPT_MS);
        query = `${REFERENCE}=${reference}`;
      }
      return seeOther(ctx, `${path}?${query}`);
    }
    const reference = ctx.query[REFERENCE];
    if (typeof reference === 'string') {
      const kept = await expiring.get(key(reference));
      if (kept === undefined) return problems.expired(ctx, undefined);
      ctx.querystring = (kept.value as { query: string }).query;
    }
    return next();
  };
}
