import getRawBody from 'raw-body';
import { type Outcome, proven, refused } from '../core/refusal.ts';
import type { PageContext } from './context.ts';

/** The fields of a sent form: strings only, so that no field can smuggle in an object or an operator. */
export type Form = ReadonlyMap<string, string>;

/** Reads an urlencoded form of at most 16 KB. Of a field sent twice the first counts. */
export async function readForm(ctx: PageContext): Promise<Outcome<Form>> {
  const body = await readBody(ctx, '16kb');
  if (!body.ok) return body;
  const form = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(body.proven)) if (!form.has(name)) form.set(name, value);
  return proven(form);
}

/** Reads an urlencoded body as it was sent. `limit` in the words of `bytes`, such as `16kb`. */
export async function readBody(ctx: PageContext, limit: string): Promise<Outcome<string>> {
  if (!ctx.is('application/x-www-form-urlencoded')) return refused('form-unreadable');
  try {
    return proven(await getRawBody(ctx.req, { limit, length: ctx.request.length ?? null, encoding: 'utf8' }));
  } catch (error) {
    // Too long, cut off on the way, or of another length than it said.
    return refused((error as { type?: unknown }).type === 'entity.too.large' ? 'form-too-large' : 'form-unreadable');
  }
}
