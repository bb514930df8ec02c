import type { Account } from '../../core/account/account.ts';
import { type App, type ClientDirectory, describeApp, findMetadata } from '../../core/client/client.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import { marksOf } from '../../core/factors/factors.ts';
import {
  type Change,
  type COURSES,
  type Course,
  type Errand,
  type Errands,
  factsInTime,
  type INVITED,
  isLinkOver,
  progressOf,
  requirementsOf,
} from '../../core/journey/errand.ts';
import { type Facts, factsBefore, factsToChooseAnew, nextStep } from '../../core/journey/journey.ts';
import type { Collection, Stored } from '../../core/storage/collection.ts';
import { agentOf } from '../../http/agent.ts';
import { type PageContext, seeOther } from '../../http/context.ts';
import type { FormGuard } from '../../http/csrf.ts';
import type { DeviceOwner, KnownDevices } from '../../http/device.ts';
import { applyUiLocales } from '../../http/locale.ts';
import type { NetworkOf } from '../../http/network.ts';
import type { Journeys } from '../../http/pipeline.ts';
import type { ProblemPages } from '../../http/problems.ts';
import type { RememberedName } from '../../http/rememberedName.ts';
import type { Render } from '../../http/render.ts';
import { sessionNotice } from '../../http/sessionNotice.ts';
import type { SignedIn } from '../../http/signedIn.ts';
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
  readonly signedIn: SignedIn;
  /** Every sign-in takes two steps. */
  readonly needsSecond: boolean;
  readonly guard: FormGuard;
  /** The account's password has changed: this browser stays signed in, everything else ends. */
  readonly keepOnlyThis: (ctx: PageContext, account: Stored<Account>) => Promise<void>;
  /** What the last page of an errand shows: the username that was forgotten, or that of the new account. */
  readonly usernameOf: (facts: Facts) => Promise<string | undefined>;
}

/** The last page of each. */
const ENDINGS: Readonly<Record<(typeof COURSES)[number] | (typeof INVITED)[number], string>> = {
  register: 'registration/done',
  'forgot-username': 'recovery/username',
  'forgot-password': 'recovery/replaced',
  unlock: 'recovery/unlocked',
  'lost-contact': 'recovery/waiting',
  letter: 'recovery/reachable',
  'new-second-step': 'recovery/second-step',
};

/** The page that a change of the account began on. */
const changedOn = (course: Course): string => {
  if (course === 'close') return '/account';
  return course === 'email' || course === 'phone' ? '/account/contacts' : '/account/security';
};

/** The page that a change of the account leads back to, and what has been done, as it says. */
const backFrom = ({ course, from, facts: { enrolment, instead } }: Errand): string => {
  const contact = instead === undefined ? 'contact-added' : 'contact-changed';
  const what: Readonly<Record<Change, string>> = {
    ...{ 'second-step': `${enrolment?.name}-added`, 'recovery-codes': 'codes-renewed', password: 'password-changed' },
    ...{ email: contact, phone: contact, close: 'closing-asked' },
  };
  const query = { done: what[course as Change], ...(from === undefined ? {} : { from: from.interactionId }) };
  return `${changedOn(course)}?${new URLSearchParams(query)}`;
};

/** What a member does besides signing in. Only the browser that began an errand gets on with it. */
export function errandJourneys(deps: ErrandDependencies): Journeys<ErrandContext> {
  /** The app that the member was on the way to. */
  async function appOf(ctx: PageContext, errand: Errand | undefined): Promise<App | undefined> {
    const metadata = await findMetadata(deps.clients, errand?.from?.clientId);
    return metadata && describeApp(metadata, deps.issuer, ctx.state.locale);
  }

  async function lost(ctx: PageContext, errand?: Errand): Promise<undefined> {
    deps.problems.expired(ctx, await appOf(ctx, errand));
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
      const about = {
        locale,
        rememberedName: deps.usernames.get(ctx),
        network: deps.networkOf(ctx),
        agent: agentOf(ctx),
        app: await appOf(ctx, errand),
      };
      const knownDevice = (owner: DeviceOwner) => deps.devices.idFor(ctx, owner);
      if (errand.owner !== undefined) {
        const hadSecondStep = errand.facts.setup === undefined;
        const visit = await deps.signedIn.enter(ctx, { fresh: true, to: `/journey/${id}`, hadSecondStep });
        if (visit === undefined) return undefined;
        const { account, session } = visit;
        const { accountId, epoch } = errand.owner;
        const isTheirs = account.id === accountId && account.value.deviceEpoch === epoch;
        // What somebody else began, or before the password changed; and the page after one's own change of it.
        if (!isTheirs && errand.facts.newPassword === undefined) return void seeOther(ctx, '/account');
        const keepOnlyThis = (changed: Stored<Account>) => deps.keepOnlyThis(ctx, changed);
        return { ...about, journey: errand, account, session, knownDevice, keepOnlyThis };
      }
      const { code, name, member, replacement, credentials, setup, addressCode } = errand.facts;
      // A page takes no longer for a name that is somebody's.
      const named = errand.course === 'letter' ? member : name;
      const ownerId = credentials?.accountId ?? (named && (named.accountId ?? 'nobody'));
      const owner = ownerId === undefined ? undefined : await deps.accounts.find(ownerId);
      // Nothing counts once the password has changed on another way; once it has here, the proof of before has served.
      const epoch = name?.accountId === undefined ? code?.epoch : name.epoch;
      const isCurrent = epoch === undefined || addressCode !== undefined || owner?.value.deviceEpoch === epoch;
      // Nor once a second step was set up by another journey of the same link.
      const isAsInvited =
        name?.marks === undefined || setup !== undefined || (owner && marksOf(owner.value)) === name.marks;
      const holds = (isCurrent && isAsInvited) || replacement !== undefined;
      const facts = holds ? factsInTime(errand, seconds(deps.clock)) : {};
      const journey = { ...errand, facts };
      if (isLinkOver(journey)) return lost(ctx, errand);
      const account = holds && code ? owner : undefined;
      return { ...about, journey, account, knownDevice };
    },

    next: ({ journey }) => nextStep(journey.facts, requirementsOf(journey)),
    before: ({ journey }, step) => {
      const { facts } = journey;
      const requirements = requirementsOf(journey);
      return factsToChooseAnew(facts, nextStep(facts, requirements), step) ?? factsBefore(facts, requirements, step);
    },

    async settle(ctx, { journey, app }, due) {
      if (due !== 'done') return false;
      if (journey.owner !== undefined) {
        seeOther(ctx, backFrom(journey));
        return true;
      }
      const found = await deps.usernameOf(journey.facts);
      const readyAt = journey.facts.delay?.readyAt;
      const nobody = { 'forgot-username': found === undefined, 'lost-contact': readyAt === undefined };
      const view = nobody[journey.course as keyof typeof nobody]
        ? 'recovery/no-account'
        : ENDINGS[journey.course as keyof typeof ENDINGS];
      deps.render(ctx, view, { app, found, readyAt, ...links(journey) });
      return true;
    },

    save: ({ journey }, facts) =>
      deps.errands.save({ ...journey, facts: { ...journey.facts, ...facts } }, deps.clock.now()),

    locals: ({ journey, session, app }, step) => ({
      app,
      course: journey.course,
      chooseUrl: `/journey/${journey.id}/enrolment`,
      // A member who is signed in may leave it at that.
      cancelUrl: journey.owner && changedOn(journey.course),
      session: session && sessionNotice(session.endsAt, deps.guard, `/journey/${journey.id}`),
      progress: progressOf(journey.course, step, deps.needsSecond),
      otherUrl: `/journey/${journey.id}/method`,
      ...links(journey),
    }),

    startUrl: ({ journey }) =>
      journey.owner !== undefined
        ? changedOn(journey.course)
        : journey.course === 'new-second-step'
          ? `/journey/${journey.id}`
          : `/${journey.course}${links(journey).errandQuery}`,
    formTargets: () => [],
    described: ({ journey: { course } }) => ({ course }),
  };
}
