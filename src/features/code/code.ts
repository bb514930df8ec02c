import { type Clock, seconds } from '../../core/clock.ts';
import { type Codes, readCode } from '../../core/codes/codes.ts';
import { maskedWay, type Way } from '../../core/codes/contacts.ts';
import { typedOf } from '../../core/codes/purposes.ts';
import type { Facts } from '../../core/journey/journey.ts';
import type { Channel } from '../../core/messages/message.ts';
import { type Outcome, proven, refused } from '../../core/refusal.ts';
import { type ErrandContext, pageOfClosed, step } from '../../http/step.ts';

type Typed = { readonly code: string } | { readonly send: Sent | 'again' };

/** What differs between the codes that are asked for. */
export interface CodeVariant {
  readonly name: 'code' | 'confirmation' | 'addressCode';
  /** What the code is for; one purpose has one code. */
  purpose(context: ErrandContext): string;
  /** Whose it is, for the pools of attempts. */
  subject(context: ErrandContext): string;
  /** The same as it was typed; see `typedOf`. */
  typed?(context: ErrandContext): string;
  /** Whose code of a letter it is, where it is one. */
  letter?(context: ErrandContext): string | undefined;
  /** Where its address is changed, where it can be. */
  changeUrl?(context: ErrandContext): string | undefined;
  /** Where the code went, where that may be shown; else it is never told whether it went anywhere. */
  shown(context: ErrandContext): Way | undefined;
  send(context: ErrandContext, by: Sent | undefined): Promise<void>;
  /** What a right code means. */
  right(context: ErrandContext, way: Way): Promise<Outcome<Facts>>;
}

const CHANNELS = ['email', 'sms', 'voice'] as const;
type Sent = (typeof CHANNELS)[number];
const isChannel = (text: string | undefined): text is Sent => CHANNELS.includes(text as Sent);

/** One field for the code of a message, and ways to get another. */
export const codeStep = (deps: { codes: Codes; clock: Clock; channels: ReadonlySet<Channel> }, variant: CodeVariant) =>
  step<Typed, ErrandContext>({
    name: variant.name,
    view: 'code/code',
    even: true,

    async show(context) {
      const way = variant.shown(context);
      return {
        by: way?.by,
        // What somebody has just typed is shown as they typed it, so that they see a slip.
        masked: way && (way.by === 'email' && variant.name !== 'code' ? way.to : maskedWay(way)),
        hidden: way === undefined,
        sentAt: context.journey.facts.sent?.at,
        others: way === undefined ? CHANNELS.filter((one) => deps.channels.has(one)) : [],
        changeUrl: variant.changeUrl?.(context),
        changeWords: variant.name === 'addressCode' ? 'account.anotherAddress' : 'code.code.change',
        // Who has lost what the account has goes on to what the plan has on file.
        lost: context.journey.facts.name !== undefined,
      };
    },

    parse(form) {
      const send = form.get('send');
      if (send !== undefined) return proven({ send: isChannel(send) ? send : 'again' });
      const code = readCode(form.get('code') ?? '');
      return code === undefined ? refused('code-malformed') : proven({ code });
    },

    async identify(input, context) {
      if ('send' in input) return { counted: [], lockedAs: 'code-locked', input };
      const subject = variant.subject(context);
      const letter = variant.letter?.(context);
      const counted = [
        { rule: 'codeJourney', subject: `${variant.name}:${context.journey.id}` },
        {
          rule: 'codeBucket',
          subject: `${variant.typed?.(context) ?? typedOf(context.journey.facts)}:${context.network.key}`,
        },
        { rule: 'code', subject },
        ...(letter === undefined ? [] : [{ rule: 'letter', subject: letter } as const]),
      ] as const;
      return { counted, lockedAs: 'code-locked', input };
    },

    async submit(input, context) {
      if ('send' in input) {
        await variant.send(context, input.send === 'again' ? undefined : input.send);
        return proven({ sent: { at: seconds(deps.clock) } });
      }
      const used = await deps.codes.use(variant.purpose(context), input.code);
      if (used.is === 'right') return variant.right(context, used.way);
      // Whether a letter is on its way to somebody is told to nobody who does not have it.
      const isHidden = used.is === 'expired' && variant.letter?.(context) !== undefined;
      return refused(isHidden ? 'code-wrong' : `code-${used.is}`);
    },

    fieldOf: () => 'code',
    pageOf: (refusal) => (refusal === 'membership-ended' ? 'registration/ended' : pageOfClosed(refusal)),
  });
