import { AuthenticatorApp } from './authenticatorApp.ts';
import type { Answer, Visitor } from './visitor.ts';

/** The codes on a page that shows recovery codes. */
export const codesOn = ({ body }: Answer): string[] =>
  [...body.matchAll(/<li>(\d+(?:-[0-9A-Z]{4}){4})<\/li>/g)].map(([, code]) => String(code));

/** From the page that offers second steps as far as the next after it; the app is set up. */
export async function setUpApp(visitor: Visitor, page: Answer, within: string, now: () => number) {
  const setup = await visitor.submit(page, { method: 'totp' }, within);
  const app = new AuthenticatorApp(String(/id="seed"[^>]*>([^<]+)</.exec(setup.body)?.[1]));
  const codes = await visitor.submit(setup, { code: app.code(now()) }, within);
  return { app, setup, codes: codesOn(codes), next: await visitor.submit(codes, { saved: 'yes' }, within) };
}
