import type { RunningProvider } from './provider.ts';
import { type Answer, Visitor } from './visitor.ts';

interface Received {
  readonly channel: 'email' | 'sms' | 'voice';
  readonly to: string;
  readonly subject: string | null;
  readonly text: string;
  readonly at: string;
}

/** What was sent, the newest first, with all that is waiting. */
export async function inboxOf(provider: RunningProvider): Promise<Received[]> {
  await provider.work();
  const answer = await new Visitor({ accept: 'application/json' }).fetch(`${provider.issuer}/dev/inbox`);
  return JSON.parse(answer.body);
}

/** The code of the newest message to this address, as a person finds it. */
export async function codeFrom(provider: RunningProvider, to?: string): Promise<string> {
  const message = (await inboxOf(provider)).find(
    (one) => (to === undefined || one.to === to) && /\b\d{6}\b/.test(one.text),
  );
  if (message === undefined) throw new Error(`no code came to ${to}`);
  return String(/\b\d{6}\b/.exec(message.text)?.[0]);
}

export interface Registration {
  readonly person: Readonly<Record<string, string>>;
  readonly number: string;
  readonly username: string;
  readonly password: string;
}

/** Goes on from the page of the person as far as the code; returns the page after the member number. */
export async function identify(
  visitor: Visitor,
  { issuer }: Pick<RunningProvider, 'issuer'>,
  { person, number }: Pick<Registration, 'person' | 'number'>,
  course = 'register',
): Promise<Answer> {
  const first = await visitor.go(`${issuer}/${course}`, issuer);
  const second = await visitor.submit(first, person, issuer);
  return visitor.submit(second, { 'member-number': number }, issuer);
}

/** Registers by the first way that is offered. Returns the last page. */
export async function registerAs(visitor: Visitor, provider: RunningProvider, as: Registration): Promise<Answer> {
  const { issuer } = provider;
  const contact = await identify(visitor, provider, as);
  const code = await visitor.submit(contact, { way: '0' }, issuer);
  const contacts = await visitor.submit(code, { code: await codeFrom(provider) }, issuer);
  const { 1: email = '' } = /id="email"[^>]* value="([^"]*)"/.exec(contacts.body) ?? [];
  const { 1: phone = '' } = /id="phone"[^>]* value="([^"]*)"/.exec(contacts.body) ?? [];
  const credentials = await visitor.submit(contacts, { email, phone, terms: 'yes' }, issuer);
  return visitor.submit(credentials, { username: as.username, 'new-password': as.password }, issuer);
}
