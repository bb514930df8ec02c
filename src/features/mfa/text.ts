import type { Account } from '../../core/account/account.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import { type Codes, readCode } from '../../core/codes/codes.ts';
import { maskedWay } from '../../core/codes/contacts.ts';
import { withFactors } from '../../core/factors/factors.ts';
import { type Outcome, proven, refused } from '../../core/refusal.ts';
import { type Collection, change } from '../../core/storage/collection.ts';
import type { Post } from '../../http/post.ts';
import { enrollable, type FactorContext, type Shown } from './factor.ts';

export interface TextDependencies {
  readonly accounts: Collection<Account>;
  readonly codes: Codes;
  readonly post: Post;
  readonly clock: Clock;
}

type Typed = { readonly code: string } | { readonly send: 'sms' | 'voice' };

/** What a code to a phone is for: one journey, one account and one number. */
const purposeOf = ({ journey, account }: FactorContext, what: 'second' | 'setup', to: string): string =>
  [journey.id, what, account.id, to].join(' ');

/** Sends a code to a phone. */
export async function sendToPhone(
  post: Post,
  context: FactorContext,
  { what, to, by }: { readonly what: 'second' | 'setup'; readonly to: string; readonly by: 'sms' | 'voice' },
): Promise<void> {
  const contacts = [{ kind: 'mobile', to }] as const;
  const { account, locale, network, app } = context;
  const order = { purpose: purposeOf(context, what, to), subject: `account:${account.id}`, contacts, by };
  await post.sendCode({ ...order, locale, network, app, known: true });
}

/**
 * Codes by text or call to a phone that is the member's. A restricted authenticator (NIST SP 800-63B-4 3.1.3.3): the page
 * says so, and names another way.
 */
export const textFactor = ({ accounts, codes, post, clock }: TextDependencies) => {
  const use = async (
    context: FactorContext,
    what: 'second' | 'setup',
    to: string,
    typed: Typed,
  ): Promise<Outcome<Shown>> => {
    if ('send' in typed) {
      await sendToPhone(post, context, { what, to, by: typed.send });
      return proven({ shown: false, facts: { texted: { at: seconds(clock) } } });
    }
    const used = await codes.use(purposeOf(context, what, to), typed.code);
    return used.is === 'right' ? proven({ shown: true }) : refused(`code-${used.is}`);
  };
  const masked = (to: string) => maskedWay({ by: 'sms', to });

  return enrollable<Typed>({
    method: 'text',
    amr: ['sms'],
    view: 'mfa/text',
    show: async ({ account, journey }) => ({
      masked: masked(account.value.factors?.phone?.to ?? ''),
      sentAt: journey.facts.texted?.at,
    }),
    masked: ({ factors }) => masked(factors?.phone?.to ?? ''),
    compares: (typed) => 'code' in typed,

    parse(form) {
      const send = form.get('send');
      if (send !== undefined) return proven({ send: send === 'voice' ? 'voice' : 'sms' });
      const code = readCode(form.get('code') ?? '');
      return code === undefined ? refused('code-malformed') : proven({ code });
    },

    async prove(typed, context) {
      const outcome = await use(context, 'second', context.account.value.factors?.phone?.to ?? '', typed);
      if (outcome.ok && outcome.proven.shown)
        await change(accounts, context.account.id, (now) => withFactors(now, { lastUsed: 'text' }));
      return outcome;
    },

    setupView: 'mfa/text-setup',
    showSetup: async ({ journey }) => ({
      masked: masked(journey.facts.number?.to ?? ''),
      sentAt: journey.facts.texted?.at,
    }),

    async setUp(typed, context) {
      const to = context.journey.facts.number?.to ?? '';
      const outcome = await use(context, 'setup', to, typed);
      if (!outcome.ok) return outcome;
      const { shown, facts } = outcome.proven;
      return proven(
        shown ? { adds: () => ({ phone: { to, addedAt: seconds(clock) } }) } : { ...(facts ? { facts } : {}) },
      );
    },

    fieldOf: () => 'code',
  });
};
