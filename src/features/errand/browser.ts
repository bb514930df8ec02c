import { createHash, randomBytes } from 'node:crypto';
import { sameText } from '../../core/sameText.ts';
import type { PageContext } from '../../http/context.ts';

/** The browser that an errand was begun in, by a cookie that lives as long as its window. */
export interface Browser {
  /** Digest of what this browser's cookie holds; gives it one where it has none. */
  mark(ctx: PageContext): string;
  owns(ctx: PageContext, digest: string): boolean;
}

export function browserCookie(https: boolean): Browser {
  const name = https ? '__Host-browser' : 'browser';
  const digestOf = (secret: string) => createHash('sha256').update(`browser:${secret}`).digest('base64url');
  const read = (ctx: PageContext): string | undefined => {
    const secret = ctx.cookies.get(name, { signed: false });
    return secret !== undefined && /^[\w-]{22}$/.test(secret) ? secret : undefined;
  };
  return {
    mark(ctx) {
      const known = read(ctx);
      if (known !== undefined) return digestOf(known);
      const secret = randomBytes(16).toString('base64url');
      const options = { httpOnly: true, sameSite: 'lax', secure: https, signed: false, overwrite: true } as const;
      ctx.cookies.set(name, secret, options);
      return digestOf(secret);
    },
    owns(ctx, digest) {
      const secret = read(ctx);
      return secret !== undefined && sameText(digestOf(secret), digest);
    },
  };
}
