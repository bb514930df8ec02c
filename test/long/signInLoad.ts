/**
 * Browsers that sign in, in a process of their own: who measures tokens must not wait for them, and on the machine of
 * the provider they are guests, so they run at a low priority. Started by load.test.ts; talks over the process channel.
 */
import { constants, setPriority } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { RelyingParty, Visitor, type webClient } from '../support/relyingParty.ts';
import type { Answer } from '../support/visitor.ts';

export interface Load {
  readonly issuer: string;
  readonly client: ReturnType<typeof webClient>;
  readonly members: readonly { readonly username: string; readonly password: string }[];
  /** At once. */
  readonly browsers: number;
}

export type ToLoad = { readonly open: number; readonly round: number } | 'begin' | 'end';

/** How one sign-in was answered. */
export interface Told {
  readonly status: number;
  readonly retryAfter: string | null;
}

interface Page {
  readonly visitor: Visitor;
  readonly page: Answer;
  readonly fields: Readonly<Record<string, string>>;
}

const { issuer, client, members, browsers }: Load = JSON.parse(String(process.argv[2]));
setPriority(constants.priority.PRIORITY_LOW);
const app = await RelyingParty.discover(issuer, client);
let pages: Page[] = [];
let over = false;

process.on('message', async (message: ToLoad) => {
  if (message === 'end') over = true;
  else if (message === 'begin') {
    over = false;
    const told = await Promise.all(Array.from({ length: browsers }, signInUntilOver));
    process.send?.({ told: told.flat(), pagesLeft: pages.length });
  } else {
    pages = [];
    for (let i = 0; i < message.open; i += 10) {
      pages.push(...(await Promise.all(Array.from({ length: 10 }, (_, j) => openPage(message.round, i + j)))));
    }
    process.send?.('ready');
  }
});
process.send?.('ready');

/** A sign-in page in a network of its own, so that no lock stops anybody. Every fourth types a name that is none. */
async function openPage(round: number, i: number): Promise<Page> {
  const visitor = new Visitor({ 'x-forwarded-for': `10.${round}.${i >> 8}.${i & 255}` });
  const page = await visitor.go((await app.start()).url, issuer);
  const { username = '', password = '' } = members[i % members.length] ?? {};
  return { visitor, page, fields: { username: i % 4 === 0 ? `nobody.${round}.${i}` : username, password } };
}

/** Signs in one person after the other. Who is refused comes back later; the next one pauses first. */
async function signInUntilOver(): Promise<Told[]> {
  const told: Told[] = [];
  for (let next = pages.pop(); next !== undefined && !over; next = pages.pop()) {
    const { status, headers } = await next.visitor.post(next.page, next.fields);
    told.push({ status, retryAfter: headers.get('retry-after') });
    if (status !== 503) continue;
    pages.unshift(next);
    await delay(500);
  }
  return told;
}
