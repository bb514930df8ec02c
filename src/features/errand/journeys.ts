import type { Account } from '../../core/account/account.ts';
import { type ClientDirectory, describeApp, findMetadata } from '../../core/client/client.ts';
import type { Clock } from '../../core/clock.ts';
import { type Errand, type Errands, progressOf, requirementsOf } from '../../core/journey/errand.ts';
import { type Facts, factsBefore, factsToChooseAnew, nextStep } from '../../core/journey/journey.ts';
import type { Collection } from '../../core/storage/collection.ts';
import type { PageContext } from '../../http/context.ts';
import type { DeviceOwner, KnownDevices } from '../../http/device.ts';
import { applyUiLocales } from '../../http/locale.ts';
import type { NetworkOf } from '../../http/network.ts';
import type { Journeys } from '../../http/pipeline.ts';
import type { ProblemPages } from '../../http/problems.ts';
import type { RememberedName } from '../../http/rememberedName.ts';
import type { Render } from '../../http/render.ts';
import type { ErrandContext } from '../../http/step.ts';
import type { Browser } from './browser.ts';

export interface ErrandDependencies {
  readonly errands: Errands;
  readonly browser: Browser;
  readonly devices: KnownDevices;
  readonly accounts: Collection<Account>;
  readonly clients: ClientDirectory;
  readonly clock: Clock;
  readonly problems: ProblemPages;
  readonly render: Render;
  readonly steps: Journeys<ErrandContext>['steps'];
  readonly issuer: string;
  readonly networkOf: NetworkOf;
  readonly usernames: RememberedName;
  /** What the last page of an errand shows: the username that was forgotten, or that of the new account. */
  readonly usernameOf: (facts: Facts) => Promise<string | undefined>;
}

/** The last page of each. */
const ENDINGS: Readonly<Record<Errand['course'], string>> = {
  register: 'registration/done',
  'forgot-username': 'recovery/username',
  'forgot-password': 'recovery/replaced',
  unlock: 'recovery/unlocked',
  'lost-contact': 'recovery/waiting',
};

/** What a member does besides signing in. Only the browser that began an errand gets on with it. */
export function errandJourneys(deps: ErrandDependencies): Journeys<ErrandContext> {
  async function lost(ctx: PageContext, errand?: Errand): Promise<undefined> {
    const metadata = await findMetadata(deps.clients, errand?.from?.clientId);
    deps.problems.expired(ctx, metadata && describeApp(metadata, deps.issuer));
  }

  /** Where signing in goes on: on the page that the errand began on, as long as that lives; otherwise at the app. */
  const links = ({ from, locale }: Errand) => ({
    signInUrl: from && `/interaction/${from.interactionId}`,
    errandQuery: from === undefined ? '' : `?from=${from.interactionId}&ui_locales=${locale}`,
  });

  return {
    root: '/journey',
    steps: deps.steps,

    async open(ctx, id) {
      const errand = await deps.errands.find(id);
      if (errand === undefined || !deps.browser.owns(ctx, errand.browser)) return lost(ctx);
      applyUiLocales(ctx, errand.locale);
      const { locale } = ctx.state;
      const { code, name, replacement } = errand.facts;
      // A page takes no longer for a name that is somebody's.
      const owner = name && (await deps.accounts.find(name.accountId ?? 'nobody'));
      // Nothing counts once the password has changed on another way; once it has here, the proof of before has served.
      const isCurrent = name?.accountId === undefined || owner?.value.deviceEpoch === name.epoch;
      const holds = isCurrent || replacement !== undefined;
      const journey = holds ? errand : { ...errand, facts: {} };
      const account = holds && code ? owner : undefined;
      const knownDevice = (owner: DeviceOwner) => deps.devices.idFor(ctx, owner);
      return {
        journey,
        locale,
        account,
        knownDevice,
        rememberedName: deps.usernames.get(ctx),
        network: deps.networkOf(ctx),
      };
    },

    next: ({ journey }) => nextStep(journey.facts, requirementsOf(journey)),
    before: ({ journey }, step) => {
      const { facts } = journey;
      const requirements = requirementsOf(journey);
      return factsToChooseAnew(facts, nextStep(facts, requirements), step) ?? factsBefore(facts, requirements, step);
    },

    async settle(ctx, { journey }, due) {
      if (due !== 'done') return false;
      const found = await deps.usernameOf(journey.facts);
      const readyAt = journey.facts.delay?.readyAt;
      const nobody = { 'forgot-username': found === undefined, 'lost-contact': readyAt === undefined };
      const view = nobody[journey.course as keyof typeof nobody] ? 'recovery/no-account' : ENDINGS[journey.course];
      deps.render(ctx, view, { found, readyAt, ...links(journey) });
      return true;
    },

    save: ({ journey }, facts) =>
      deps.errands.save({ ...journey, facts: { ...journey.facts, ...facts } }, deps.clock.now()),

    locals: ({ journey }, step) => ({
      course: journey.course,
      progress: progressOf(journey.course, step),
      otherUrl: `/journey/${journey.id}/method`,
      ...links(journey),
    }),

    startUrl: ({ journey }) => `/${journey.course}${links(journey).errandQuery}`,
    formTargets: () => [],
    described: ({ journey: { course } }) => ({ course }),
  };
}
