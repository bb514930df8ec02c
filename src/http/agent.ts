import { parse } from 'bowser';
import type { PageContext } from './context.ts';

/** What a browser calls itself (RFC 9110 10.1.5), as a person would: "Chrome, Android". Empty where it says nothing known. */
export function agentOf(ctx: PageContext): string {
  const said = ctx.get('User-Agent').slice(0, 500);
  if (said === '') return '';
  const { browser, os, platform } = parse(said);
  const system = platform.vendor === 'Apple' && platform.model !== undefined ? platform.model : os.name;
  return [browser.name, system].filter(Boolean).join(', ').slice(0, 60);
}
