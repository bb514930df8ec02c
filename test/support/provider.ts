import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { makePortal } from '../../examples/portal/portal.ts';
import { systemClock } from '../../src/adapters/systemClock.ts';
import { composeApp } from '../../src/compose.ts';
import { type Config, loadConfig } from '../../src/config/load.ts';
import type { Clock } from '../../src/core/clock.ts';
import type { Stores } from '../../src/core/storage/stores.ts';
import { makeLogger } from '../../src/observe/logger.ts';
import { prometheusMetrics } from '../../src/observe/metrics.ts';
import './fetchGuard.ts';
import type { StorePair } from './stores.ts';

export interface RunningProvider {
  readonly issuer: string;
  /** Where it listens, also when its issuer is somewhere else. */
  readonly port: number;
  readonly config: Config;
  readonly stores: Stores;
  /** Every log line so far. */
  readonly log: string[];
  /** The sample portal, where it was asked for. */
  readonly portal: string;
  /** Does once what goes on beside the requests: signing keys, ends of sessions, logout tokens. */
  work(): Promise<void>;
  /** Puts on record what waits for others to go with. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

export interface ProviderOptions {
  readonly clients?: readonly object[];
  readonly members?: readonly object[];
  /** Rows of a roster besides those of the development one. */
  readonly roster?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  readonly stores?: Stores;
}

export const ROOT = resolve(import.meta.dirname, '../..');

export const SECRETS = {
  cookieKeys: ['c'.repeat(43)],
  keyEncryptionKeys: ['k'.repeat(43)],
  passwordPeppers: ['p'.repeat(43)],
  rosterKeys: ['r'.repeat(43)],
};

/** The member of `config/members.dev.json` whom most tests sign in. */
export const MEMBER = { username: 'sample.member', password: 'a calm walk by the lake' };

export const OTHER_MEMBER = { username: 'miembro.ejemplo', password: 'un paseo junto al lago' };

const fromConfig = (file: string) => JSON.parse(readFileSync(join(ROOT, 'config', file), 'utf8'));

export const DEVELOPMENT_MEMBERS: (typeof MEMBER)[] = fromConfig('members.dev.json');
export const DEVELOPMENT_CLIENTS: { readonly client_id: string }[] = fromConfig('clients.dev.json');

/** Somebody whose password opens nothing but the page on which a new one is chosen. */
export const RENEWING = {
  ...{ username: 'renewing.member', password: 'the old one that must go', passwordMustChange: true },
  ...{ email: 'renewing.member@example.com', phone: '+12025550199', memberNumber: 'MHP-100-2009' },
  ...{ firstName: 'Renewing', lastName: 'Member', birthDate: '1962-05-04', postalCode: '97201' },
};

/** A provider in this process, on ports of its own, with the sample portal beside it. */
export async function startProvider(pair: StorePair, options: ProviderOptions = {}): Promise<RunningProvider> {
  const folder = mkdtempSync(join(tmpdir(), 'provider-'));
  const [door, portalDoor] = [await openPort(), await openPort()];
  const issuer = `http://localhost:${portOf(door)}`;
  const file = (name: string, content: readonly object[] | undefined) => {
    if (content === undefined) return {};
    const path = join(folder, `${name}.json`);
    // The development clients name the sample portal at its usual port.
    const text = JSON.stringify(content).replaceAll('http://localhost:3001', `http://localhost:${portOf(portalDoor)}`);
    writeFileSync(path, text);
    return { [name]: path };
  };
  const roster = (rows: readonly string[] | undefined) => {
    if (rows === undefined) return {};
    const path = join(folder, 'roster.csv');
    writeFileSync(path, [readFileSync(join(ROOT, 'config/roster.dev.csv'), 'utf8').trim(), ...rows, ''].join('\n'));
    return { ROSTER_FILE: path };
  };
  const config = loadConfig(
    {
      NODE_ENV: 'test',
      PORT: String(portOf(door)),
      PORTAL_PORT: String(portOf(portalDoor)),
      REFUSAL_FLOOR_MS: '0',
      ...file('CLIENTS_FILE', options.clients),
      ...file('MEMBERS_FILE', options.members),
      ...roster(options.roster),
      ...options.env,
    },
    ROOT,
  );
  const clock = options.clock ?? systemClock;
  const stores = options.stores ?? (await pair.open(clock));
  const log: string[] = [];
  const metrics = prometheusMetrics();
  let finished = async (): Promise<void> => undefined;
  const close = async () => {
    await Promise.all([closePort(door), closePort(portalDoor)]);
    await finished();
    if (options.stores === undefined) await stores.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const { listener, tasks, finish } = await composeApp({
    ...{ config, stores, clock, root: ROOT, secrets: SECRETS, measures: metrics },
    readMetrics: () => metrics.registry.metrics(),
    isDraining: () => false,
    log: makeLogger(config.logLevel, { write: (line) => void log.push(line) }),
  }).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  finished = finish;
  door.on('request', listener);
  const portal = `http://localhost:${portOf(portalDoor)}`;
  portalDoor.on(
    'request',
    makePortal({ issuer, clients: config.clients, url: portal, plan: config.plan.name }).callback(),
  );
  return {
    ...{ issuer: config.issuer, port: portOf(door), config, stores, log, portal },
    async work() {
      for (const task of tasks) await task.run(new AbortController().signal);
    },
    finish,
    close,
  };
}

function openPort(): Promise<Server> {
  return new Promise((resolve) => {
    const server: Server = createServer().listen(0, () => resolve(server));
  });
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

function closePort(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
