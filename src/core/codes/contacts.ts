import type { Contact } from '../membership/membership.ts';
import type { Channel } from '../messages/message.ts';

/** How a code travels, and where to. */
export interface Way {
  /** `letter`: the plan has sent one by post. */
  readonly by: Channel;
  /** An email address, or a number in E.164; empty for a letter. */
  readonly to: string;
}

/** By a letter that was sent already. */
export const LETTER: Way = { by: 'letter', to: '' };

/** Which channels there are, and which countries are called and texted. */
export interface Reach {
  readonly channels: ReadonlySet<Channel>;
  reachesNumber(e164: string): boolean;
}

/** The ways that these contacts offer, the cheapest and quietest first: email, text, call. */
export function waysTo(contacts: readonly Contact[], { channels, reachesNumber }: Reach): Way[] {
  const by = (channel: Channel, kinds: readonly Contact['kind'][]) =>
    channels.has(channel)
      ? contacts.filter(({ kind }) => kinds.includes(kind)).map(({ to }) => ({ by: channel, to }))
      : [];
  const called = [...by('sms', ['mobile']), ...by('voice', ['mobile', 'landline'])];
  return [...by('email', ['email']), ...called.filter(({ to }) => reachesNumber(to))];
}

/** The same of a contact, for messages to the others that an account has. */
export const maskedContact = ({ kind, to }: Contact): string =>
  kind === 'email' ? maskedWay({ by: 'email', to }) : `•••${maskedWay({ by: 'sms', to })}`;

/** A way as a screen shows it to whoever may not be the member: enough to know one's own, too little to learn another's. */
export function maskedWay({ by, to }: Way): string {
  if (by === 'letter') return '';
  if (by !== 'email') return to.slice(-2);
  const [name = '', domain = ''] = to.split('@');
  return `${[...name][0] ?? ''}•••@${domain}`;
}
