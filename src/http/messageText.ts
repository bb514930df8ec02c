import ejs from 'ejs';
import type { Plan } from '../core/plan.ts';
import { dayAndTime } from './clockTime.ts';
import { LOCALES, pickLocale, translator, wordList } from './words.ts';

/** Changes that the owner of an account can object to, by a link in the message. */
const CHANGES = [
  ...(['password-changed', 'second-step-added', 'second-step-removed', 'second-steps-removed'] as const),
  ...(['recovery-code-used', 'recovery-codes-renewed', 'closing-asked'] as const),
  ...(['contact-added', 'contact-removed', 'contact-first', 'contact-changed'] as const),
] as const;
export type ChangeKind = (typeof CHANGES)[number];

/** What else the owner of an account is told. */
const NOTICES = [
  ...(['welcome', 'registration-attempt', 'locked', 'late-success', 'unlocked'] as const),
  ...(['recovery-started', 'recovery-ready', 'recovery-stopped', 'not-me', 'closing-taken-back', 'closed'] as const),
] as const;
export type NoticeKind = (typeof NOTICES)[number];

/** What a message is about. Its words stand under `messages.<kind>` in every language. */
export type MessageKind = 'code' | ChangeKind | NoticeKind;

/** A message in words: for an email the first three, for a text or a call the last two. */
interface Worded {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly sms: string;
  readonly voice: string;
}

export type Compose = (tag: string, kind: MessageKind, values: Readonly<Record<string, string | number>>) => Worded;

/** Words messages for a plan's members. Links come from the issuer alone, never from a request. */
export function messageComposer(plan: Plan, issuer: string): Compose {
  const { hostname } = new URL(issuer);
  return (tag, kind, given) => {
    const locale = pickLocale([tag]) ?? LOCALES[0] ?? 'en';
    const t = translator(locale);
    const { code, at } = given as { readonly code?: string; readonly at?: number };
    const time = at === undefined ? '' : dayAndTime(at, locale, plan);
    const values = { plan: plan.name, phone: plan.phone, issuer, time, ...given };
    const subject = t(`messages.${kind}.subject`, values);
    const body = wordList(locale, `messages.${kind}.body`, values);
    const paragraphs = [...body, t('messages.closing', values)];
    const sms = t(`messages.${kind}.sms`, values);
    return {
      subject,
      text: `${paragraphs.join('\n\n')}\n`,
      html: page(locale, subject, paragraphs),
      // The last line ties the code to this site for browsers that fill it in (origin-bound one-time codes).
      sms: code === undefined ? sms : `${sms}\n@${hostname} #${code}`,
      voice: code === undefined ? sms : t('messages.code.voice', { ...values, digits: [...code].join('. ') }),
    };
  };
}

const page = (locale: string, subject: string, paragraphs: readonly string[]): string =>
  [
    `<!DOCTYPE html><html lang="${locale}"><head><meta charset="utf-8"><title>${ejs.escapeXML(subject)}</title></head>`,
    '<body style="font: 18px/1.5 system-ui, sans-serif; max-width: 34em; margin: 1em auto; padding: 0 1em">',
    `<h1 style="font-size: 1.4em">${ejs.escapeXML(subject)}</h1>`,
    ...paragraphs.map((text) => `<p>${linked(ejs.escapeXML(text))}</p>`),
    '</body></html>',
  ].join('\n');

/** Addresses in a text become links; the text is escaped already. */
const linked = (text: string): string => text.replace(/https?:\/\/[^\s<]+[^\s<.,;:]/g, '<a href="$&">$&</a>');
