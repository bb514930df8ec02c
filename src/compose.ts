import { randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import compose from 'koa-compose';
import { fastestArgon2 } from './adapters/argon2.ts';
import { boundedHasher } from './adapters/boundedHasher.ts';
import { isKnownHash, passwordHasher } from './adapters/passwordHasher.ts';
import { makeSeal } from './adapters/seal.ts';
import { webAuthn } from './adapters/webauthn.ts';
import type { Task } from './background.ts';
import type { Config, Secrets } from './config/load.ts';
import { seedClients, seedMembers } from './config/seed.ts';
import { type Account, findBySignInName, markBounced } from './core/account/account.ts';
import { closedTo } from './core/account/admission.ts';
import { followDue } from './core/account/aftermath.ts';
import { closeDue } from './core/account/closing.ts';
import { membershipOf } from './core/account/person.ts';
import type { Audit } from './core/audit/event.ts';
import { clientIdFor } from './core/client/clientId.ts';
import { clientDirectory } from './core/client/directory.ts';
import { withOwnClient } from './core/client/ownClient.ts';
import { type Clock, seconds } from './core/clock.ts';
import { consentsOf, endConsent } from './core/consent/consent.ts';
import { errands } from './core/journey/errand.ts';
import { beginJourney } from './core/journey/journey.ts';
import { riskSignals } from './core/lockout/signals.ts';
import type { Measures } from './core/measures.ts';
import { endDue, planEnding } from './core/membership/endings.ts';
import { outbox } from './core/messages/outbox.ts';
import { endings, HEARS_WITHIN } from './core/session/everybody.ts';
import type { Stores } from './core/storage/stores.ts';
import { deskFiles } from './core/support/files.ts';
import { invitations } from './core/support/invitations.ts';
import { removals } from './core/support/removals.ts';
import { errandSteps, makePost, newLinkSecret, newMessageId, usernameOf } from './errands.ts';
import { closingStep, closingSureStep } from './features/account/closing.ts';
import { contactBy } from './features/account/contacts.ts';
import { accountRoutes } from './features/account/index.ts';
import { notMeRoutes } from './features/account/notMe.ts';
import { newPasswordStep } from './features/account/password.ts';
import { reviewStep } from './features/account/review.ts';
import { adminRoutes } from './features/admin/index.ts';
import { TEST_CALLBACK } from './features/admin/testSignIn.ts';
import { apiRoutes } from './features/api/index.ts';
import { consentStep } from './features/consent/consent.ts';
import { deviceGuard, devicePages } from './features/device/device.ts';
import { browserCookie } from './features/errand/browser.ts';
import { errandRoutes } from './features/errand/index.ts';
import { helpRoutes } from './features/help/help.ts';
import { securityTxtRoute } from './features/help/securityTxt.ts';
import { inboxRoute } from './features/inbox/inbox.ts';
import { interactionRoutes } from './features/interaction/index.ts';
import { accountStep } from './features/login/account.ts';
import { agreementStep } from './features/login/agreement.ts';
import { passwordStep } from './features/login/password.ts';
import { renewalStep } from './features/login/renewal.ts';
import { metricsRoute } from './features/metrics/metrics.ts';
import { offerStep, passkeyFactor, passkeyOptions, passkeyStep } from './features/mfa/passkey.ts';
import { recoveryCodeFactor } from './features/mfa/recoveryCode.ts';
import { mfaSteps } from './features/mfa/steps.ts';
import { textFactor } from './features/mfa/text.ts';
import { totpFactor } from './features/mfa/totp.ts';
import { protocolErrorPage } from './features/problems/protocolError.ts';
import { stopRoutes } from './features/recovery/stop.ts';
import { extendRoute } from './features/session/extend.ts';
import { signOutPages } from './features/signout/signout.ts';
import { dependencies } from './features/status/dependencies.ts';
import { healthRoutes } from './features/status/health.ts';
import { statusRoute } from './features/status/status.ts';
import { supportRoutes } from './features/support/index.ts';
import { agentOf } from './http/agent.ts';
import { makeApp, pinToIssuer } from './http/app.ts';
import { loadAssets } from './http/assets.ts';
import { pageContext } from './http/context.ts';
import { formGuard } from './http/csrf.ts';
import { knownDevices } from './http/device.ts';
import { documentsFirst } from './http/documents.ts';
import { lockout } from './http/lockout.ts';
import { lookRoutes } from './http/looks.ts';
import { networkFinder } from './http/network.ts';
import { postedRequests } from './http/postedRequests.ts';
import { problemPages } from './http/problems.ts';
import { rememberedBrowsers } from './http/rememberedBrowsers.ts';
import { rememberedName } from './http/rememberedName.ts';
import { makeRenderer } from './http/render.ts';
import { requestScope } from './http/requestScope.ts';
import { signedInMembers } from './http/signedIn.ts';
import type { Logger } from './observe/logger.ts';
import { accessTokenReader } from './oidc/accessTokens.ts';
import { authorizationRequests } from './oidc/authorizationRequests.ts';
import { backchannelLogout } from './oidc/backchannelLogout.ts';
import { fingerprintOf, jwksCache, type PublishedKeys } from './oidc/jwks.ts';
import { clientFault, isLostRequest, makeProvider, type ProtocolLog } from './oidc/provider.ts';
import { publicDocuments } from './oidc/publicDocuments.ts';
import { apiWordsOf, ownApi } from './oidc/resources.ts';
import { sessions, signedOutOf } from './oidc/sessions.ts';
import { redeemForTest } from './oidc/testSignIn.ts';
import {
  administrationOf,
  attemptDigest,
  auditOf,
  keyRingOf,
  loadAtStart,
  membershipDirectory,
  messageCarriers,
  passwordRules,
  protocolSettings,
  rosterOf,
  todayOf,
  webAuthnChallenge,
} from './parts.ts';
import { seedRoster } from './seedRoster.ts';
import { measuredStores } from './stores/measured.ts';

export interface Surroundings {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly log: Logger;
  readonly measures: Measures;
  /** Everything that was measured, in Prometheus's text format. */
  readonly readMetrics: () => Promise<string>;
  /** Whether this process is on its way out. */
  readonly isDraining: () => boolean;
  /** The project's folder: views are found below it. */
  readonly root: string;
}

/** What answers requests, and the work that goes on beside it. */
export interface Composed {
  readonly listener: RequestListener;
  readonly tasks: readonly Task[];
  /** Puts down what still waits to be, before the stores are closed. */
  finish(): Promise<void>;
}

/** The one place where parts meet. Seeds the store. */
export async function composeApp(surroundings: Surroundings): Promise<Composed> {
  const { config, secrets, clock, log, measures, root } = surroundings;
  const { issuer } = config;
  const stores = measuredStores(surroundings.stores, measures.storeAnswered);
  const askDependencies = dependencies(stores, config.servers === undefined);
  const cores = Math.max(1, Math.floor(availableParallelism() / config.workers));
  const hasher = boundedHasher(
    passwordHasher(await fastestArgon2(), secrets.passwordPeppers),
    { slots: cores, queue: 8 * cores, longestWait: 2_000 },
    measures,
  );

  const decoy = await hasher.hash('no password is this one');

  const assets = loadAssets(join(root, 'views/assets'));
  const render = makeRenderer(join(root, 'views'), assets, config.plan);
  const problems = problemPages(render, clock);
  const { clients, expiring, schedule, accounts, consents } = stores;
  const directory = withOwnClient(clientDirectory(clients, clock), issuer);

  const https = issuer.startsWith('https:');
  const networkOf = networkFinder(config.trustedProxies, config.sharedNetworks);
  const scope = requestScope(networkOf);
  const audit = auditOf(secrets, stores, clock, scope.circumstances);
  const provider = () => current.provider;
  const logout = backchannelLogout({ provider, clients: directory, schedule, clock, log: deliveryLog(log, audit) });
  const ended = endings(stores.endings);
  await ended.load();
  const ourSessions = sessions({ provider, limits: config.limits, clock, expiring, schedule, logout, audit });
  const build = async (published: PublishedKeys) => {
    const made = makeProvider(
      {
        ...protocolSettings(config, secrets),
        ...{ stores, directory, clock, audit, request: scope.current },
        keys: published,
        areOver: ended.areOver,
        pages: {
          ...signOutPages({ clients: directory, render, issuer, signedOutOf }),
          ...devicePages({ clients: directory, render, issuer }),
          error: protocolErrorPage({ clients: directory, expiring, problems, issuer, isLostRequest }),
        },
        logout,
        testCallback: issuer + TEST_CALLBACK,
        onRefresh(ctx) {
          // Beside the signing of the tokens; the answer waits for both. A refresh that no session hears of is one all the same.
          ctx.state.beside = ourSessions
            .touchAtRefresh(ctx)
            .catch((error) => log.warn({ err: error }, 'activity of a session not kept'));
        },
        onSignOut: (ctx, accountId) =>
          void letters.trail
            .record(accountId, { what: 'signed-out', agent: agentOf(pageContext(ctx)) })
            .catch((error) => log.warn({ err: error }, 'a sign-out was not put down')),
        onInteraction: (id, clientId) => beginJourney(expiring, id, clientId, clock.now()),
      },
      protocolLog(log),
    );
    pinToIssuer(made, issuer);
    const middleware = compose([jwksCache(config.keyTimes.jwksMaxAge), ...made.middleware]);
    return { provider: made, middleware, published, documents: await publicDocuments(made, middleware) };
  };
  const keys = keyRingOf(config, secrets, stores, clock);
  let current = await build(await loadAtStart(keys));
  await seedClients(stores, config.clients, (record) => clientFault(provider(), record), clock);
  await seedMembers(stores, config.members, hasher, isKnownHash, clock);
  if (config.rosterFile !== undefined)
    await seedRoster(rosterOf(secrets, stores), config.rosterFile, todayOf(config, clock));

  const guard = formGuard(secrets.cookieKeys, issuer);
  const usernames = rememberedName(https);
  const digest = attemptDigest(secrets);
  const seal = makeSeal(secrets.keyEncryptionKeys);
  const { carriers, inbox } = messageCarriers(config, stores, clock);
  const ourOutbox = outbox({
    ...{ schedule: stores.outbox, seal, clock, carriers, newId: newMessageId },
    // The member is asked at the next sign-in whether the address is still theirs.
    async onGaveUp({ accountId, to }) {
      if (accountId !== undefined) await markBounced(accounts, accountId, to);
    },
    log(event, error) {
      measures.messageTried(event.channel, event.outcome);
      // What a provider says may repeat the address.
      const { name, code, responseCode } = (error ?? {}) as { name?: string; code?: string; responseCode?: number };
      const why = error === undefined ? {} : { error: name, code, responseCode };
      log[error === undefined ? 'info' : 'warn']({ event: 'message', ...event, ...why }, 'message');
    },
  });
  const surroundingsOfErrands = {
    config,
    stores,
    clock,
    digest,
    outbox: ourOutbox,
    seal,
    channels: new Set(carriers.keys()),
    audit,
  };
  const memberships = membershipDirectory(config, secrets, stores, clock);
  const letters = makePost(surroundingsOfErrands);
  /** Off the request's path, so that no answer takes longer for an account that exists. */
  const tellLater = (kind: 'locked' | 'late-success') => (accountId: string) =>
    void accounts
      .find(accountId)
      .then((found) => found && letters.post.tellOwner(found.id, found.value, kind, {}, { seldom: true }))
      .catch((error) => log.warn({ err: error }, 'a notice was not put down'));
  const devices = knownDevices(secrets.cookieKeys, https);
  const signals = riskSignals({
    ...{ attempts: stores.attempts, digest, audit },
    onRaised(kind) {
      measures.signalRaised(kind);
      log.warn({ event: 'signal', kind }, 'a rate is out of the ordinary');
    },
  });
  const { guarded, guardNetwork, isRecordable, unlock } = lockout({
    attempts: stores.attempts,
    networkOf,
    devices,
    usernames,
    digest,
    refusalFloor: config.refusalFloor,
    onLocked: tellLater('locked'),
    onLateSuccess: tellLater('late-success'),
    onFailed: (network) =>
      void signals.failed(network).catch((error) => log.warn({ err: error }, 'a failed sign-in was not counted')),
  });
  const forPages = { clients: directory, expiring, clock, guard, usernames, render, problems, issuer, networkOf };
  const forSteps = { ...forPages, devices, guarded, isRecordable, audit, measures, refusalFloor: config.refusalFloor };
  const rules = passwordRules(config);
  const endSessions = ourSessions.endAllOf;
  const { agreements } = config.plan;
  const { codes, post, trail } = letters;
  const apiWords = apiWordsOf(config.resources);
  const forDesk = { expiring, accounts, clock, newSecret: newLinkSecret };
  const ourInvitations = invitations(forDesk);
  const today = () => todayOf(config, clock);
  const { graceDays } = config;
  const membershipNow = (account: Account) => membershipOf(memberships, account);
  /** What is to be done at a time, and outlives Redis. */
  const inTime = { accounts, clock, schedule: stores.outbox };
  const isClosedTo = closedTo({
    ...{ clock, today, graceDays },
    membershipOf: membershipNow,
    onEnding: (accountId, membership) => planEnding(inTime, accountId, membership),
    onDown: (error) => log.warn({ err: error }, 'a membership could not be looked up at a sign-in'),
  });
  const passkeys = {
    ...{ accounts, clock, webAuthn: webAuthn(issuer, config.plan.name), rpId: new URL(issuer).hostname },
    challenge: webAuthnChallenge(secrets),
  };
  const secondSteps = mfaSteps({
    ...{ accounts, hasher, seal, clock, post },
    enrollable: [
      passkeyFactor(passkeys),
      totpFactor({ accounts, seal, clock, plan: config.plan.name }),
      textFactor({ accounts, codes, post, clock }),
    ],
    recoveryCode: recoveryCodeFactor({ accounts, hasher, decoy, seal, clock, post }),
    rememberDays: config.rememberBrowserDays,
    reachesPhones: carriers.has('sms') || carriers.has('voice'),
  });
  const signedIn = signedInMembers({
    ...{ accounts, clock, issuer, keys: secrets.cookieKeys },
    sessionOf: (ctx) => ourSessions.enter(ctx),
  });
  const interactions = interactionRoutes({
    ...forSteps,
    ...{ accounts, trail, signedIn },
    browsers: rememberedBrowsers({ keys: secrets.cookieKeys, https, days: config.rememberBrowserDays, clock }),
    requests: authorizationRequests(provider, ourSessions, config.resources, config.mfaPolicy),
    steps: {
      password: passwordStep({
        ...{ accounts, hasher, clock, decoy, agreements, closedTo: isClosedTo },
        passkeys: (journeyId) => passkeyOptions(passkeys, journeyId),
      }),
      passkey: passkeyStep({ ...passkeys, agreements, closedTo: isClosedTo }),
      offer: offerStep(passkeys),
      review: reviewStep({ accounts, clock, trail }),
      agreement: agreementStep({ accounts, agreements, clock }),
      ...secondSteps,
      renewal: renewalStep({ ...inTime, hasher, rules, endSessions, post }),
      account: accountStep({ accounts, clock }),
      consent: consentStep({ consents, accounts, clock, trail, apiWords }),
    },
  });
  const administration = administrationOf(stores, clock, {
    faultOf: (record) => clientFault(provider(), record),
    forget: directory.forget,
    audit,
  });
  const newClientId = (name: unknown) => clientIdFor(name, randomBytes(4).toString('hex'));
  const ourErrands = errandRoutes({
    ...forSteps,
    ...{ accounts, signedIn, contactBy, invitations: ourInvitations, needsSecond: config.mfaPolicy === 'required' },
    async keepOnlyThis(ctx, { id, value: { deviceEpoch } }) {
      await ourSessions.keepOnlyThis(ctx, id, deviceEpoch);
      devices.remember(ctx, { id, deviceEpoch });
    },
    errands: errands(expiring, seal),
    browser: browserCookie(https),
    usernameOf: usernameOf(stores),
    steps: {
      ...secondSteps,
      closing: closingStep(inTime),
      closingSure: closingSureStep({ ...inTime, post }),
      newPassword: newPasswordStep({ ...inTime, hasher, rules, post }),
      ...errandSteps({
        ...{ ...surroundingsOfErrands, ...letters, hasher, rules, decoy, endSessions, unlock },
        directory: memberships,
        today,
      }),
    },
  });

  const api = apiRoutes({
    ...{ issuer, clients, changes: stores.clientChanges, expiring, seal, clock, administration },
    newId: newClientId,
    readToken: accessTokenReader({ issuer, clock, audience: ownApi(issuer).resource, keys: () => current.published }),
  });

  const extension = extendRoute({
    guard,
    problems,
    async extend(ctx) {
      const session = await ourSessions.of(ctx);
      return session.accountId === undefined ? undefined : ourSessions.touch(session);
    },
  });

  const app = makeApp({
    issuer,
    cookieKeys: secrets.cookieKeys,
    log,
    clock,
    assets,
    problems,
    measures,
    routes: [
      scope.enter,
      lookRoutes(directory),
      healthRoutes(askDependencies, surroundings.isDraining),
      metricsRoute(config.metricsAccess, surroundings.readMetrics),
      helpRoutes({ render, problems }),
      securityTxtRoute(config.plan, issuer, clock),
      api,
      statusRoute({
        ask: askDependencies,
        messages: ourOutbox.isUp,
        membership: memberships.isUp,
        render,
      }),
      postedRequests(directory, expiring, clock, problems),
      interactions,
      ourErrands,
      accountRoutes({
        ...{ accounts, clock, post, signedIn, guard, render, problems, issuer, consents, trail, apiWords, audit },
        ...{ mfaPolicy: config.mfaPolicy, clients: directory, sessions: ourSessions },
        disconnect: ourSessions.disconnect,
        schedule: stores.outbox,
      }),
      adminRoutes({
        ...{ accounts, clock, signedIn, guard, render, problems, issuer, keys, audit, staff: stores.staff },
        ...{ administration, clientChanges: stores.clientChanges, newClientId, expiring },
        firstTime: (key) => expiring.swap(key, 0, {}, clock.now() + 86_400_000),
        redeem: (code) => redeemForTest(provider(), accounts, code),
        history: audit.history,
        idOf: async (name) => (await findBySignInName(accounts, name))?.id,
        nameOf: async (by) => (await accounts.find(by))?.value.username ?? by,
      }),
      supportRoutes({
        ...{ accounts, clock, signedIn, guard, render, problems, issuer, audit, trail, post, digest, today, graceDays },
        ...{ staff: stores.staff, cases: stores.cases, attempts: stores.attempts, directory: memberships, endSessions },
        ...{
          files: deskFiles({ ...forDesk, seal }),
          removals: removals({ ...forDesk, ...inTime }),
          invitations: ourInvitations,
        },
        mayBeNumber: memberships.mayBeNumber,
        letters: carriers.has('letter'),
        sessionsOf: (ctx, id) => ourSessions.list(ctx, id),
        onViewed: signals.viewed,
      }),
      stopRoutes({ ...forPages, accounts, post }),
      notMeRoutes({ ...forPages, accounts, post, endSessions, cases: stores.cases, objections: letters.objections }),
      ...(inbox === undefined ? [] : [inboxRoute(inbox.list, render)]),
      extension,
      deviceGuard(guardNetwork, problems),
      async (ctx, next) => {
        await current.middleware(ctx as never, next);
        await ctx.state.beside;
      },
    ],
  });
  pinToIssuer(app, issuer);

  const tasks: Task[] = [
    {
      name: 'signing keys',
      every: config.keyTimes.poll * 1_000,
      async run() {
        const published = await keys.load();
        if (fingerprintOf(published) !== fingerprintOf(current.published)) current = await build(published);
      },
    },
    { name: 'sessions ended', every: HEARS_WITHIN, run: ended.load },
    { name: 'session ends', every: 2_000, run: ourSessions.endExpired },
    // Those of a channel that this node does not have are for others, which are just getting it, or still have it.
    ...[...carriers.keys()].map((channel) => ({
      name: `messages by ${channel}`,
      every: 500,
      run: (stopping: AbortSignal) => ourOutbox.deliver(channel, stopping),
    })),
    {
      name: 'closed accounts',
      every: 60_000,
      run: () =>
        closeDue(inTime, async (id, account) => {
          await endSessions(id);
          for (const { clientId } of await consentsOf(consents, id, seconds(clock)))
            await endConsent(consents, id, clientId, seconds(clock));
          await post.tellOwner(id, account, 'closed');
        }),
    },
    {
      name: 'changes that were cut off',
      every: 10_000,
      run: () =>
        followDue(inTime, async (id, account, what) => {
          await endSessions(id);
          await post.tellOfChange({ id, before: account, after: account }, what);
        }),
    },
    {
      name: 'memberships that end',
      every: 60_000,
      run: () => endDue(inTime, isClosedTo, membershipNow, endSessions),
    },
    { name: 'logout tokens', every: 1_000, run: (stopping) => logout.deliver(stopping) },
    { name: 'audit seal', every: 60_000, run: audit.seal },
    {
      name: 'old audit events',
      every: 3_600_000,
      run: () => audit.removeOld(trail.forget, clock.now() - config.auditDays * 86_400_000),
    },
  ];
  const documents = () => current.documents;
  const listener = documentsFirst({ documents, https, clock, log, measures }, app.callback());
  return { listener, tasks, finish: audit.finish };
}

const protocolLog = (log: Logger): ProtocolLog => ({
  refused: (event, error) => log.info({ event, error: error.message, detail: detailOf(error) }, 'protocol refusal'),
  failed: (error) => log.error({ err: error }, 'protocol failure'),
  notRecorded: (error) => log.warn({ err: error }, 'tokens were not put on record'),
});

const deliveryLog = (log: Logger, audit: Audit) => ({
  delivered: (clientId: string) => log.info({ clientId }, 'logout token delivered'),
  failed(clientId: string, tries: number, error: Error) {
    log.warn({ clientId, tries, err: error }, 'logout token not delivered');
    audit
      .record({
        ...{ action: 'logout-not-delivered', outcome: 'failed', client: clientId, detail: { tries } },
        subject: { kind: 'client', id: clientId },
      })
      .catch((failure) => log.warn({ err: failure }, 'a lost logout token was not put on record'));
  },
});

const detailOf = (error: Error): string | undefined => (error as { error_description?: string }).error_description;
