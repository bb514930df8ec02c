import type { Account } from '../../core/account/account.ts';
import type { Trail } from '../../core/audit/trail.ts';
import {
  type App,
  type ClientDirectory,
  type ClientMetadata,
  describeApp,
  findMetadata,
  formTargets,
} from '../../core/client/client.ts';
import { OWN_CLIENT } from '../../core/client/ownClient.ts';
import type { Clock } from '../../core/clock.ts';
import { signInRequirements } from '../../core/journey/assurance.ts';
import { type AuthorizationRequest, type RequestResult, resultOf } from '../../core/journey/authorizationRequest.ts';
import {
  addFacts,
  type Facts,
  factsToChooseAnew,
  findJourney,
  type Journey,
  nextStep,
} from '../../core/journey/journey.ts';
import type { Collection, Stored } from '../../core/storage/collection.ts';
import type { Expiring } from '../../core/storage/expiring.ts';
import { agentOf } from '../../http/agent.ts';
import { type PageContext, seeOther } from '../../http/context.ts';
import type { FormGuard } from '../../http/csrf.ts';
import type { KnownDevices } from '../../http/device.ts';
import { applyUiLocales } from '../../http/locale.ts';
import type { NetworkOf } from '../../http/network.ts';
import type { Journeys } from '../../http/pipeline.ts';
import type { ProblemPages } from '../../http/problems.ts';
import type { RememberedBrowsers } from '../../http/rememberedBrowsers.ts';
import type { RememberedName } from '../../http/rememberedName.ts';
import { sessionNotice } from '../../http/sessionNotice.ts';
import type { SignedIn } from '../../http/signedIn.ts';
import type { AnyStep, RequestContext } from '../../http/step.ts';

/** The authorization requests that wait for a member; oidc-provider keeps them. */
interface AuthorizationRequests {
  find(ctx: PageContext, id: string): Promise<AuthorizationRequest | undefined>;
  hasSession(ctx: PageContext): Promise<boolean>;
  finish(ctx: PageContext, result: RequestResult): Promise<string | undefined>;
  restartUrl(ctx: PageContext): Promise<string>;
}

export interface InteractionDependencies {
  readonly requests: AuthorizationRequests;
  readonly accounts: Collection<Account>;
  readonly trail: Pick<Trail, 'record'>;
  readonly devices: KnownDevices;
  readonly browsers: RememberedBrowsers;
  readonly clients: ClientDirectory;
  readonly expiring: Expiring;
  readonly clock: Clock;
  readonly guard: FormGuard;
  readonly problems: ProblemPages;
  readonly steps: Journeys<RequestContext>['steps'];
  readonly issuer: string;
  readonly networkOf: NetworkOf;
  readonly usernames: RememberedName;
  readonly signedIn: Pick<SignedIn, 'confirm'>;
}

interface Opened extends RequestContext {
  readonly journey: Journey;
  readonly client: ClientMetadata;
  readonly app: App;
  /** The member is not to be asked for a second step in this browser, where that may be. */
  readonly remembered: boolean;
}

/** The journeys of authorization requests: each ends at the app that began it. */
export function requestJourneys(deps: InteractionDependencies): Journeys<Opened> {
  /** The request is gone: answered already, or too old. Who is signed in by now goes on to the app without a word. */
  async function lost(ctx: PageContext, client?: ClientMetadata): Promise<undefined> {
    const app = client && describeApp(client, deps.issuer);
    if (app?.wayBack !== undefined && (await deps.requests.hasSession(ctx))) seeOther(ctx, app.wayBack);
    else deps.problems.expired(ctx, app);
  }

  /**
   * The facts as far as they still count, and whose sign-in it is. What was shown for one account is nothing for another,
   * and nothing at all once the password has changed.
   */
  async function whatHolds(
    facts: Facts,
    request: AuthorizationRequest,
  ): Promise<{ readonly facts: Facts; readonly account: Stored<Account> | undefined }> {
    const { password, passkey, second, setup } = facts;
    const proofs = [password, passkey, second, setup].filter((proof) => proof !== undefined);
    const owner = (password ?? passkey)?.accountId ?? (request.stepUp ? request.accountId : undefined);
    const account = owner === undefined ? undefined : await deps.accounts.find(owner);
    const [first] = proofs;
    const isCurrent = first === undefined || first.epoch === account?.value.deviceEpoch;
    return isCurrent && proofs.every(({ accountId }) => accountId === owner)
      ? { facts, account }
      : whatHolds({}, request);
  }

  const next = ({ journey: { facts }, request, account, remembered }: Opened) => {
    const { requirement, level, stepUp } = request;
    if (requirement !== 'password') return nextStep(facts, new Set([requirement]));
    return nextStep(facts, signInRequirements({ level, stepUp, account: account?.value, facts, remembered }));
  };

  return {
    root: '/interaction',
    endsElsewhere: true,
    // A step of any request is one of these as well.
    steps: deps.steps as Readonly<Record<string, AnyStep<Opened>>>,

    async open(ctx, id) {
      const found = await findJourney(deps.expiring, id);
      if (found === undefined) return lost(ctx);
      const client = await findMetadata(deps.clients, found.clientId);
      const request = await deps.requests.find(ctx, id);
      if (client === undefined || request === undefined) return lost(ctx, client);
      applyUiLocales(ctx, request.uiLocales);
      const { locale } = ctx.state;
      const app = describeApp(client, deps.issuer, locale);
      const browser = { rememberedName: deps.usernames.get(ctx), network: deps.networkOf(ctx), agent: agentOf(ctx) };
      const { facts, account } = await whatHolds(found.facts, request);
      const { level } = request;
      const remembered = account !== undefined && deps.browsers.has(ctx, account);
      const who = { account, remembered, ...browser };
      return { journey: { ...found, facts }, request, level, client, app, locale, ...who };
    },

    next,
    before: (context, step) => factsToChooseAnew(context.journey.facts, next(context), step),

    async settle(ctx, { journey, request, client, account, agent }, due) {
      const finish = async (result: RequestResult) => {
        const url = await deps.requests.finish(ctx, result);
        if (url === undefined) await lost(ctx, client);
        else seeOther(ctx, url);
        return true;
      };
      if (due === 'done') {
        const { password, passkey, second } = journey.facts;
        // A device is known once all that signing in takes was shown on it, and not where others use it too.
        if (account !== undefined && (password ?? passkey) !== undefined && !password?.shared) {
          deps.devices.remember(ctx, { id: account.id, deviceEpoch: account.value.deviceEpoch });
          if (second?.remember) deps.browsers.remember(ctx, account);
        }
        const { login, ...result } = resultOf(journey.facts, request.session);
        if (account !== undefined && (password ?? passkey) !== undefined)
          await deps.trail.record(account.id, { what: 'signed-in', app: journey.clientId, agent });
        const isAnew = (password ?? passkey) !== undefined && journey.clientId === OWN_CLIENT;
        if (login !== undefined && isAnew) deps.signedIn.confirm(ctx, { ...login, authTime: login.ts });
        return finish(login === undefined ? result : { ...result, login: { ...login, agent } });
      }
      // Nobody is signed in, so there is nobody to choose: the sign-in page follows.
      if (due === 'account' && request.accountId === undefined) return finish({ select_account: {} });
      if (request.onlyNeedsASession && (await deps.requests.hasSession(ctx))) return finish({});
      return false;
    },

    save: ({ journey }, facts) => addFacts(deps.expiring, journey, facts, deps.clock.now()),

    locals: ({ journey: { id, facts }, app, request, locale }) => ({
      app,
      switchUrl: `/interaction/${id}/switch`,
      homeUrl: `/interaction/${id}`,
      passkeyUrl: `/interaction/${id}/passkey`,
      otherUrl: `/interaction/${id}/method`,
      chooseUrl: `/interaction/${id}/enrolment`,
      offerUrl: facts.offer && `/interaction/${id}/offer`,
      errandQuery: `?from=${id}&ui_locales=${locale}`,
      session:
        request.sessionEndsAt === undefined
          ? undefined
          : sessionNotice(request.sessionEndsAt, deps.guard, `/interaction/${id}`),
    }),

    formTargets: ({ client }) => formTargets(client),
    described: ({ journey: { clientId } }) => ({ clientId }),
  };
}
