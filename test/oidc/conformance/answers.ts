/** What comes back from the provider, read so strictly that a wrong answer fails the test. */
import { expect } from '@jest/globals';
import { z } from 'zod';
import { MEMBER } from '../../support/provider.ts';
import type { Answer, Visitor } from '../../support/visitor.ts';

export type ResponseMode = 'query' | 'form_post';

/** What came back from an endpoint that is no page. `body` is parsed where it is JSON. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** One request as an app sends it, without a browser: no cookies, no Origin. */
export async function call(url: string, init: RequestInit = {}): Promise<Reply> {
  const answer = await fetch(url, { redirect: 'manual', ...init });
  const text = await answer.text();
  const isJson = /^application\/(.*\+)?json\b/.test(answer.headers.get('content-type') ?? '');
  return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : text };
}

/**
 * Opens an address and fills in the screens that come, until none does. `shown` names them (`password`, `consent`); `end`
 * is the page, or the address outside, where that led.
 */
export async function walk(visitor: Visitor, issuer: string, url: string): Promise<{ shown: string[]; end: Answer }> {
  const shown: string[] = [];
  let end = await visitor.go(url, issuer);
  for (;;) {
    const screen = /<form[^>]* action="\/interaction\/[^"/]+\/(\w+)"/.exec(end.body)?.[1];
    if (screen === undefined) return { shown, end };
    shown.push(screen);
    if (shown.length > 4) throw new Error(`the member is asked for ever: ${shown.join(', ')}`);
    end = await visitor.submit(end, screen === 'consent' ? { decision: 'allow' } : MEMBER, issuer);
  }
}

/** The parameters that came to the app, in exactly the way that the response mode says. */
export function readCallback(end: Answer, mode: ResponseMode, redirectUri: string): Readonly<Record<string, string>> {
  if (mode === 'query') {
    const url = new URL(end.url);
    expect([url.origin + url.pathname, url.hash]).toEqual([redirectUri, '']);
    expect([end.status, end.headers.get('location')]).toEqual([303, end.url]);
    return single([...url.searchParams]);
  }
  // A form that posts itself (OAuth 2.0 Form Post Response Mode, 2): urlencoded, as a form without `enctype` is.
  const [form, ...others] = [...end.body.matchAll(/<form([^>]*)>/g)].map(([, attributes]) => attributes?.trim());
  expect([form, others]).toEqual([`method="post" action="${redirectUri}"`, []]);
  expect(end.headers.get('content-type')).toBe('text/html; charset=utf-8');
  const inputs = end.body.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"\/>/g);
  const parameters = single([...inputs].map(([, name = '', value = '']) => [name, unescaped(value)]));
  expect(end.status).toBe('error' in parameters ? 400 : 200);
  return parameters;
}

/** No parameter comes twice (RFC 6749 3.1). */
function single(pairs: [string, string][]): Record<string, string> {
  const parameters = Object.fromEntries(pairs);
  expect(Object.keys(parameters)).toHaveLength(pairs.length);
  return parameters;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
const unescaped = (html: string): string => html.replace(/&(#?\w+);/g, (all, name) => ENTITIES[name] ?? all);

/** At least 128 bits in base64url (RFC 6749 10.10). */
export const UNGUESSABLE = z.string().regex(/^[\w-]{22,}$/);

const TOKENS = z.strictObject({
  access_token: UNGUESSABLE,
  token_type: z.literal('Bearer'),
  expires_in: z.int().positive(),
  id_token: z.string(),
  refresh_token: UNGUESSABLE.optional(),
  scope: z.string().optional(),
});

/** A token response that is right in every member and may not be cached (OpenID Connect Core 3.1.3.3). */
export function readTokens({ status, headers, body }: Reply): z.infer<typeof TOKENS> {
  expect({ status, body }).toMatchObject({ status: 200 });
  expect(headers.get('cache-control')).toBe('no-store');
  return TOKENS.parse(body);
}

/** What UserInfo said about this member, as JSON (OpenID Connect Core 5.3.2). */
export function readUserinfo({ status, headers, body }: Reply, sub: string | undefined): Record<string, unknown> {
  expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
  const info = z.looseObject({ sub: z.string() }).parse(body);
  expect(info.sub).toBe(sub);
  return info;
}
