import { createHash } from 'node:crypto';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type Koa from 'koa';
import type { Middleware } from 'koa';
import type { Provider } from 'oidc-provider';

/** Where oidc-provider has what every relying party reads, by its name for the endpoint. */
const PATHS = {
  '/.well-known/openid-configuration': 'discovery',
  '/.well-known/oauth-authorization-server': 'discovery',
  '/jwks': 'jwks',
} as const;

/**
 * The discovery documents and the key set of one provider, by their paths: what it would answer itself, asked of it once. They
 * change only with the keys, and then there is another provider.
 */
export async function publicDocuments(provider: Provider, middleware: Middleware) {
  const documents = Object.entries(PATHS).map(async ([path, endpoint]) => {
    const { body, headers } = await answerOf(provider as unknown as Koa, middleware, path);
    const etag = `"${createHash('sha256').update(body, 'latin1').digest('base64url').slice(0, 22)}"`;
    return [path, { endpoint, body, headers: { ...headers, ETag: etag } }] as const;
  });
  return new Map(await Promise.all(documents));
}

/** What the provider answers to a GET that nobody has sent. */
async function answerOf(app: Koa, middleware: Middleware, path: string) {
  const request = Object.assign(new IncomingMessage(new Socket()), { method: 'GET', url: path });
  const ctx = app.createContext(request, new ServerResponse(request));
  await middleware(ctx as never, async () => undefined);
  if (ctx.status !== 200) throw new Error(`the provider answers ${ctx.status} to ${path}`);
  const body = Buffer.from(JSON.stringify(ctx.body)).toString('latin1');
  const headers = Object.fromEntries(
    Object.entries(ctx.response.headers).map(([name, value]) => [name, String(value)]),
  );
  return { body, headers };
}
