import type { Server } from 'node:http';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type Koa from 'koa';
import compose from 'koa-compose';
import type { JWK } from 'oidc-provider';
import { fastestArgon2 } from './adapters/argon2.ts';
import { boundedHasher } from './adapters/boundedHasher.ts';
import { passwordHasher } from './adapters/passwordHasher.ts';
import { passwordStrength } from './adapters/passwordStrength.ts';
import { makeSeal } from './adapters/seal.ts';
import { ConfigFault } from './config/fault.ts';
import type { Config, Secrets } from './config/load.ts';
import { seedClients, seedMembers } from './config/seed.ts';
import { leastLength } from './core/account/newPassword.ts';
import { type Clock, seconds } from './core/clock.ts';
import { beginJourney } from './core/journey/journey.ts';
import { type KeyRing, loadOrMakeKeyRing } from './core/keys/keyRing.ts';
import type { Stores } from './core/storage/stores.ts';
import { consentStep } from './features/consent/consent.ts';
import { helpRoutes } from './features/help/help.ts';
import { interactionRoutes } from './features/interaction/index.ts';
import { accountStep } from './features/login/account.ts';
import { passwordStep } from './features/login/password.ts';
import { renewalStep } from './features/login/renewal.ts';
import { protocolErrorPage } from './features/problems/protocolError.ts';
import { extendRoute } from './features/session/extend.ts';
import { signOutPages } from './features/signout/signout.ts';
import { statusRoute } from './features/status/status.ts';
import { makeApp, pinToIssuer } from './http/app.ts';
import { loadAssets } from './http/assets.ts';
import { formGuard } from './http/csrf.ts';
import { knownDevices } from './http/device.ts';
import { lockout } from './http/lockout.ts';
import { networkFinder } from './http/network.ts';
import { postedRequests } from './http/postedRequests.ts';
import { problemPages } from './http/problems.ts';
import { rememberedName } from './http/rememberedName.ts';
import { makeRenderer } from './http/render.ts';
import type { Logger } from './observe/logger.ts';
import { authorizationRequests } from './oidc/authorizationRequests.ts';
import { makeSigningKeys } from './oidc/jwks.ts';
import { clientFault, isLostRequest, makeProvider } from './oidc/provider.ts';
import { sessions, signedOutOf } from './oidc/sessions.ts';

export interface Surroundings {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly log: Logger;
  /** The project's folder: views are found below it. */
  readonly root: string;
}

/** The one place where parts meet. Seeds the store and answers with the app, ready to listen. */
export async function composeApp({ config, secrets, stores, clock, log, root }: Surroundings): Promise<Koa> {
  const { issuer } = config;
  const cores = availableParallelism();
  const hasher = boundedHasher(passwordHasher(await fastestArgon2(), secrets.passwordPeppers), {
    slots: cores,
    queue: 8 * cores,
    longestWait: 2_000,
  });

  const assets = loadAssets(join(root, 'views/assets'));
  const render = makeRenderer(join(root, 'views'), assets, config.plan);
  const problems = problemPages(render, clock);
  const { clients, expiring, accounts, consents } = stores;

  const https = issuer.startsWith('https:');
  const ourSessions = sessions(() => provider, config.limits, clock);
  const provider = makeProvider(
    {
      issuer,
      stores,
      clock,
      cookieKeys: secrets.cookieKeys,
      jwks: await signingKeys(stores, secrets, clock),
      pages: {
        ...signOutPages({ clients, render, issuer, signedOutOf }),
        error: protocolErrorPage({ clients, expiring, problems, issuer, isLostRequest }),
      },
      limits: config.limits,
      onRefresh: (ctx) => ourSessions.touchAtRefresh(ctx),
      onInteraction: (id, clientId) => beginJourney(expiring, id, clientId, clock.now()),
    },
    {
      refused: (event, error) => log.info({ event, error: error.message, detail: detailOf(error) }, 'protocol refusal'),
      failed: (error) => log.error({ err: error }, 'protocol failure'),
    },
  );
  pinToIssuer(provider, issuer);
  await seedClients(stores, config.clients, (record) => clientFault(provider, record));
  await seedMembers(stores, config.members, hasher, clock);

  const passwordRules = {
    meter: passwordStrength(),
    // No second step is always asked for yet, so that a password alone opens the account.
    least: leastLength(false, config.passwordLeast),
    plan: config.plan.name,
  };
  const guard = formGuard(secrets.cookieKeys, issuer);
  const usernames = rememberedName(https);
  const interactions = interactionRoutes({
    requests: authorizationRequests(() => provider, ourSessions),
    clients,
    expiring,
    clock,
    guard,
    usernames,
    render,
    problems,
    issuer,
    guarded: lockout({
      attempts: stores.attempts,
      networkOf: networkFinder(config.trustedProxies, config.sharedNetworks),
      devices: knownDevices(secrets.cookieKeys, https),
      usernames,
      digestKey: secrets.cookieKeys[0] ?? '',
      refusalFloor: config.refusalFloor,
    }),
    steps: {
      password: passwordStep({ accounts, hasher, clock, decoy: await hasher.hash('no password is this one') }),
      renewal: renewalStep({ accounts, hasher, clock, rules: passwordRules }),
      account: accountStep({ accounts, clock }),
      consent: consentStep({ consents, accounts, clock }),
    },
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
    routes: [
      helpRoutes({ render, problems }),
      statusRoute(stores, render),
      postedRequests(expiring, clock, problems),
      interactions,
      extension,
      compose(provider.middleware),
    ],
  });
  pinToIssuer(app, issuer);
  return app;
}

const KEY_RING_SEAL = 'signing keys';

async function signingKeys(stores: Stores, secrets: Secrets, clock: Clock): Promise<JWK[]> {
  const seal = makeSeal(secrets.keyEncryptionKeys);
  const make = async (): Promise<KeyRing> => ({
    sealedJwks: seal.seal(JSON.stringify(await makeSigningKeys()), KEY_RING_SEAL),
    createdAt: seconds(clock),
  });
  const ring = await loadOrMakeKeyRing(stores.keyRings, make);
  try {
    return JSON.parse(seal.open(ring.sealedJwks, KEY_RING_SEAL));
  } catch {
    throw new ConfigFault([
      'KEY_ENCRYPTION_KEY: is not the one that the signing keys in the store were sealed with; bring that one back behind a comma, or begin with an empty store',
    ]);
  }
}

const detailOf = (error: Error): string | undefined => (error as { error_description?: string }).error_description;

/** Lets requests in flight finish, for ten seconds at most, then closes the store. */
export async function drain(servers: readonly Server[], stores: Stores): Promise<void> {
  const closed = servers.map(
    (server) =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  );
  await Promise.race([Promise.all(closed), delay(10_000, undefined, { ref: false })]);
  await stores.close();
}
