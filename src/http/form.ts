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

/**
 * Reads a form with a file, `multipart/form-data` (RFC 7578), of at most 64 KB. A file that was chosen is a field as well: a `data:` URL
 * of its content, without the type that the browser gives it.
 */
export async function readUpload(ctx: PageContext): Promise<Outcome<Form>> {
  if (!ctx.is('multipart/form-data')) return refused('form-unreadable');
  const body = await rawBody(ctx, '64kb');
  if (!body.ok) return body;
  try {
    const sent = await new Response(body.proven, { headers: { 'Content-Type': ctx.get('Content-Type') } }).formData();
    const form = new Map<string, string>();
    for (const [name, value] of sent) {
      const text = typeof value === 'string' ? value : await fileText(value);
      if (text !== undefined && !form.has(name)) form.set(name, text);
    }
    return proven(form);
  } catch {
    return refused('form-unreadable');
  }
}

/** What such a field brought. */
export const fileBytes = (field: string): Buffer => Buffer.from(field.slice(field.indexOf(',') + 1), 'base64');

/** Undefined where no file was chosen. */
async function fileText(file: Blob): Promise<string | undefined> {
  if (file.size === 0) return undefined;
  return `data:;base64,${Buffer.from(await file.arrayBuffer()).toString('base64')}`;
}

/** Reads an urlencoded body as it was sent. `limit` in the words of `bytes`, such as `16kb`. */
export async function readBody(ctx: PageContext, limit: string): Promise<Outcome<string>> {
  if (!ctx.is('application/x-www-form-urlencoded')) return refused('form-unreadable');
  const body = await rawBody(ctx, limit);
  return body.ok ? proven(body.proven.toString('utf8')) : body;
}

async function rawBody(ctx: PageContext, limit: string): Promise<Outcome<Buffer>> {
  try {
    return proven(await getRawBody(ctx.req, { limit, length: ctx.request.length ?? null }));
  } catch (error) {
    // Too long, cut off on the way, or of another length than it said.
    return refused((error as { type?: unknown }).type === 'entity.too.large' ? 'form-too-large' : 'form-unreadable');
  }
}
