import ejs from 'ejs';
import type { App } from '../core/client/client.ts';
import type { Message } from '../core/messages/message.ts';
import type { Plan } from '../core/plan.ts';
import type { InvitationKind } from '../core/support/invitations.ts';
import { dayAndTime } from './clockTime.ts';
import { LOCALES, pickLocale, translator, wordList } from './words.ts';

/** Changes that the owner of an account can object to, by a link in the message. */
const CHANGES = [
  ...(['password-changed', 'second-step-added', 'second-step-removed', 'second-steps-removed'] as const),
  ...(['second-step-replaced', 'support-steps-removed'] as const),
  ...(['recovery-code-used', 'recovery-codes-renewed', 'closing-asked'] as const),
  ...(['contact-added', 'contact-removed', 'contact-first', 'contact-changed'] as const),
] as const;
export type ChangeKind = (typeof CHANGES)[number];

/** What else the owner of an account is told. */
const NOTICES = [
  ...(['welcome', 'registration-attempt', 'locked', 'late-success', 'unlocked'] as const),
  ...(['recovery-started', 'recovery-ready', 'recovery-stopped', 'not-me', 'closing-taken-back', 'closed'] as const),
  ...(['support-checked', 'support-unlocked', 'support-signed-out', 'support-frozen', 'support-thawed'] as const),
  ...(['support-invited', 'support-letter', 'support-let-in', 'support-removal'] as const),
] as const;
export type NoticeKind = (typeof NOTICES)[number];

/** A link of our support desk to the page on which something is set anew. */
export type LinkKind = `invite-${InvitationKind}`;

/** What a message is about. Its words stand under `messages.<kind>` in every language. */
export type MessageKind = 'code' | 'letter' | 'letter-register' | LinkKind | ChangeKind | NoticeKind;

/** A message in words: for an email the first four, for a text or a call the last two. */
interface Worded {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly logo: Message['logo'];
  readonly sms: string;
  readonly voice: string;
}

/** `app` is the one that the member is on the way to: an email then says so and looks like it. */
export type Compose = (
  tag: string,
  kind: MessageKind,
  values: Readonly<Record<string, string | number>>,
  app?: App,
) => Worded;

/** Words messages for a plan's members. Links come from the issuer alone, never from a request. */
export function messageComposer(plan: Plan, issuer: string): Compose {
  const { hostname } = new URL(issuer);
  return (tag, kind, given, app) => {
    const locale = pickLocale([tag]) ?? LOCALES[0] ?? 'en';
    const t = translator(locale);
    const { code, at } = given as { readonly code?: string; readonly at?: number };
    const time = at === undefined ? '' : dayAndTime(at, locale, plan);
    const values = { plan: plan.name, phone: plan.phone, issuer, time, ...given };
    const subject = t(`messages.${kind}.subject`, values);
    const body = wordList(locale, `messages.${kind}.body`, values);
    const onTheWay = app === undefined ? [] : [t('messages.onTheWay', { app: app.name })];
    const paragraphs = [...body, ...onTheWay, t('messages.closing', values)];
    const sms = t(`messages.${kind}.sms`, values);
    return {
      subject,
      text: `${paragraphs.join('\n\n')}\n`,
      html: page(locale, subject, paragraphs, app),
      logo: app?.brand?.logo,
      // The last line ties the code to this site for browsers that fill it in (origin-bound one-time codes).
      sms: code === undefined || kind !== 'code' ? sms : `${sms}\n@${hostname} #${code}`,
      voice:
        code === undefined || kind !== 'code'
          ? sms
          : t('messages.code.voice', { ...values, digits: [...code].join('. ') }),
    };
  };
}

const page = (locale: string, subject: string, paragraphs: readonly string[], app?: App): string =>
  [
    `<!DOCTYPE html><html lang="${locale}"><head><meta charset="utf-8"><title>${ejs.escapeXML(subject)}</title></head>`,
    `<body style="font: 18px/1.5 system-ui, sans-serif; max-width: 34em; margin: 1em auto; padding: 0 1em${edge(app)}">`,
    ...(app?.brand?.logo === undefined
      ? []
      : [`<p><img src="cid:logo" alt="${ejs.escapeXML(app.name)}" height="40"></p>`]),
    `<h1 style="font-size: 1.4em">${ejs.escapeXML(subject)}</h1>`,
    ...paragraphs.map((text) => `<p>${linked(ejs.escapeXML(text))}</p>`),
    '</body></html>',
  ].join('\n');

const edge = (app: App | undefined): string =>
  app?.brand?.color === undefined ? '' : `; border-top: 6px solid ${app.brand.color}`;

/** Addresses in a text become links; the text is escaped already. */
const linked = (text: string): string => text.replace(/https?:\/\/[^\s<]+[^\s<.,;:]/g, '<a href="$&">$&</a>');
