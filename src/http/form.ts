import getRawBody from 'raw-body';
import { type Outcome, proven, refused } from '../core/refusal.ts';
import type { PageContext } from './context.ts';

/** The fields of a sent form: strings only, so that no field can smuggle in an object or an operator. */
export type Form = ReadonlyMap<string, string>;

const LIMIT = '16kb';

/** Reads an urlencoded form of at most 16 KB. Of a field sent twice the first counts. */
export async function readForm(ctx: PageContext): Promise<Outcome<Form>> {
  if (!ctx.is('application/x-www-form-urlencoded')) return refused('form-unreadable');
  try {
    const body = await getRawBody(ctx.req, { limit: LIMIT, length: ctx.request.length ?? null, encoding: 'utf8' });
    const form = new Map<string, string>();
    for (const [name, value] of new URLSearchParams(body)) if (!form.has(name)) form.set(name, value);
    return proven(form);
  } catch (error) {
    // Too long, cut off on the way, or of another length than it said.
    return refused((error as { type?: unknown }).type === 'entity.too.large' ? 'form-too-large' : 'form-unreadable');
  }
}
