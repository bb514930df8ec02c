import { type Clock, seconds } from '../../core/clock.ts';
import { LETTER, maskedWay, type Way } from '../../core/codes/contacts.ts';
import { codePurpose, subjectOf } from '../../core/codes/purposes.ts';
import { proven, refused } from '../../core/refusal.ts';
import type { Post } from '../../http/post.ts';
import { type ErrandContext, step } from '../../http/step.ts';

/** Where the code is to go: to a contact that the plan has on file, and nowhere else. */
export const contactStep = (deps: { post: Post; clock: Clock }) => {
  const waysOf = ({ journey }: ErrandContext): Way[] => deps.post.waysTo(journey.facts.member?.found?.contacts ?? []);

  return step<string, ErrandContext>({
    name: 'contact',
    view: 'registration/contact',

    show: async (context) => ({
      ways: waysOf(context).map((way, index) => ({ id: String(index), by: way.by, masked: maskedWay(way) })),
      chosen: context.journey.facts.contact?.way,
    }),

    parse: (form) => proven(form.get('way') ?? ''),

    async submit(typed, context) {
      const way = typed === 'letter' ? LETTER : /^\d$/.test(typed) ? waysOf(context)[Number(typed)] : undefined;
      if (way === undefined) return refused('way-missing');
      const at = seconds(deps.clock);
      return proven({ contact: { at, way }, sent: { at, by: way.by } });
    },

    async conclude({ contact }, { journey, locale, network, app }) {
      const { by, to } = contact?.way ?? LETTER;
      if (by === 'letter') return;
      const contacts = (journey.facts.member?.found?.contacts ?? []).filter((one) => one.to === to);
      const facts = { ...journey.facts, ...(contact ? { contact } : {}) };
      const [purpose, subject] = [codePurpose(journey.id, facts), subjectOf(facts)];
      await deps.post.sendCode({ purpose, subject, contacts, by, locale, network, app });
    },

    fieldOf: () => 'way-0',
  });
};
