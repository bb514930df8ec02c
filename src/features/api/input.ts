import getRawBody from 'raw-body';
import type { z } from 'zod';
import type { PageContext } from '../../http/context.ts';
import type { Fault, Refused } from './problems.ts';

/** The body of an operation: its only content type, its form, and how long it may be. */
export interface BodyForm {
  readonly type: 'application/json' | 'application/merge-patch+json';
  readonly schema: z.ZodType;
  /** In the words of `bytes`, such as `64kb`. */
  readonly most: string;
}

/** A body as it was sent, and what it means. */
export interface Body {
  readonly raw: Buffer;
  readonly value: unknown;
}

const NO_BODY: Body = { raw: Buffer.alloc(0), value: undefined };

/** Reads the body of a request, with all that is wrong with it. What takes no body takes none. */
export async function readBody(ctx: PageContext, form: BodyForm | undefined): Promise<Body | Refused> {
  if (form === undefined) {
    const isEmpty = (ctx.request.length ?? 0) === 0 && ctx.get('Transfer-Encoding') === '';
    return isEmpty ? NO_BODY : wrong([{ detail: 'This takes no body.' }]);
  }
  if (!isOfType(ctx, form.type)) return { problem: 'body-type-unknown', headers: acceptHeader(ctx.method, form.type) };
  const raw = await rawBody(ctx, form.most);
  if (!Buffer.isBuffer(raw)) return raw;
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(raw));
  } catch {
    return wrong([{ detail: 'The body is no JSON in UTF-8.' }]);
  }
  const parsed = form.schema.safeParse(json);
  return parsed.success ? { raw, value: parsed.data } : wrong(faultsOf(parsed.error, inBody));
}

/** No charset but UTF-8 (RFC 8259 8.1), and nothing compressed: a small body must not become a large one. */
function isOfType(ctx: PageContext, wanted: BodyForm['type']): boolean {
  const [type = '', ...parameters] = ctx.get('Content-Type').toLowerCase().split(';');
  const isUtf8 = parameters.every((one) => /^\s*charset="?utf-8"?\s*$/.test(one));
  return type.trim() === wanted && isUtf8 && ['', 'identity'].includes(ctx.get('Content-Encoding'));
}

/** RFC 5789 2.2 for PATCH, RFC 9110 12.5.1 for the others. */
const acceptHeader = (method: string, type: string): Record<string, string> =>
  method === 'PATCH' ? { 'Accept-Patch': type } : { Accept: type };

async function rawBody(ctx: PageContext, limit: string): Promise<Buffer | Refused> {
  try {
    return await getRawBody(ctx.req, { limit, length: ctx.request.length ?? null });
  } catch (error) {
    // Too long, cut off on the way, or of another length than it said.
    const isLong = (error as { type?: unknown }).type === 'entity.too.large';
    return isLong ? { problem: 'body-too-large' } : wrong([{ detail: 'The body did not come whole.' }]);
  }
}

/** Reads the query: no parameter that is not known, and none twice. */
export function readQuery<T>(ctx: PageContext, schema: z.ZodType<T>): { readonly query: T } | Refused {
  const parsed = schema.safeParse({ ...ctx.query });
  return parsed.success ? { query: parsed.data } : wrong(faultsOf(parsed.error, inQuery));
}

const LONGEST_REASON = 500;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,200}$/;

/** Why, for the history, in `X-Reason`; and the `Idempotency-Key`, where one came. */
export function readHeaders(
  ctx: PageContext,
  takesKey: boolean,
): { readonly reason: string | undefined; readonly key: string | undefined } | Refused {
  const [said, key] = [textOf(ctx.get('X-Reason')).trim(), takesKey ? ctx.get('Idempotency-Key') : ''];
  const faults = [
    (said.length > LONGEST_REASON || /\p{Cc}/u.test(said)) && {
      header: 'X-Reason',
      detail: `It has up to ${LONGEST_REASON} characters, and no control characters.`,
    },
    key !== '' &&
      !IDEMPOTENCY_KEY.test(key) && { header: 'Idempotency-Key', detail: 'It has 1 to 200 visible ASCII characters.' },
  ].filter((fault) => fault !== false);
  if (faults.length > 0) return wrong(faults);
  return { reason: said === '' ? undefined : said, key: key === '' ? undefined : key };
}

/** Node reads headers as Latin-1; people write UTF-8. */
function textOf(header: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(header, 'latin1'));
  } catch {
    return header;
  }
}

export const wrong = (errors: readonly Fault[]): Refused => ({ problem: 'request-wrong', errors });

const inBody = (path: readonly PropertyKey[]) => ({ pointer: pointerOf(path) });
const inQuery = (path: readonly PropertyKey[]) => ({ parameter: path.map(String).join('.') });

/** All that a schema finds wrong. A name that is not known is a fault of its own place. */
export function faultsOf(error: z.ZodError, at: (path: readonly PropertyKey[]) => Omit<Fault, 'detail'>): Fault[] {
  return error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ detail: 'This is not known here.', ...at([...issue.path, key]) }))
      : [{ detail: issue.message, ...at(issue.path) }],
  );
}

/** RFC 6901 3. */
const pointerOf = (path: readonly PropertyKey[]): string =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
