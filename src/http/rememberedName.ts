import type { PageContext } from './context.ts';

const HALF_A_YEAR_MS = 180 * 24 * 60 * 60 * 1000;
const MOST = 254;

/** The username that a member asked this browser to remember. It proves nothing; it saves typing. */
export interface RememberedName {
  get(ctx: PageContext): string | undefined;
  /** Remembers a name, or forgets what was remembered. */
  set(ctx: PageContext, name: string | undefined): void;
}

export function rememberedName(https: boolean): RememberedName {
  const cookie = https ? '__Host-username' : 'username';
  const options = { httpOnly: true, sameSite: 'lax', secure: https, signed: false, overwrite: true } as const;
  return {
    get(ctx) {
      const value = ctx.cookies.get(cookie, { signed: false });
      if (value === undefined) return undefined;
      const name = Buffer.from(value, 'base64url').toString('utf8');
      return name.length > 0 && name.length <= MOST ? name : undefined;
    },
    set(ctx, name) {
      if (name === undefined) {
        if (ctx.cookies.get(cookie, { signed: false }) !== undefined) ctx.cookies.set(cookie, null, options);
      } else ctx.cookies.set(cookie, Buffer.from(name).toString('base64url'), { ...options, maxAge: HALF_A_YEAR_MS });
    },
  };
}
