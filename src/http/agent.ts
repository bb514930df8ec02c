import { parse } from 'bowser';
import type { PageContext } from './context.ts';

/** What a browser calls itself (RFC 9110 10.1.5), as a person would: "Chrome, Android". Empty where it says nothing known. */
export function agentOf(ctx: PageContext): string {
  const said = ctx.get('User-Agent').slice(0, 500);
  if (said === '') return '';
  const before = known.get(said);
  if (before !== undefined) return before;
  const named = nameOf(said);
  // The oldest makes room: anybody can call themselves anything.
  const [oldest] = known.keys();
  if (known.size >= MOST_KNOWN && oldest !== undefined) known.delete(oldest);
  known.set(said, named);
  return named;
}

/** Reading such a name takes longer than most of what it is read for, and most browsers have one of a few hundred. */
const known = new Map<string, string>();
const MOST_KNOWN = 1_000;

function nameOf(said: string): string {
  const { browser, os, platform } = parse(said);
  const system = platform.vendor === 'Apple' && platform.model !== undefined ? platform.model : os.name;
  return [browser.name, system].filter(Boolean).join(', ').slice(0, 60);
}
