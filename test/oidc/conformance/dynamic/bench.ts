import { expect } from '@jest/globals';
import type { AppServer } from '../../../support/appServer.ts';
import type { RunningProvider } from '../../../support/provider.ts';
import type { movableDate } from '../../../support/time.ts';
import type { DynamicClients } from './clients.ts';

/** What a module of the Dynamic plan has at hand. */
export interface Bench {
  readonly provider: RunningProvider;
  readonly clients: DynamicClients;
  /** Where the suite publishes its keys, and documents that are only read over TLS. */
  readonly suite: AppServer;
  readonly secure: AppServer;
  readonly date: ReturnType<typeof movableDate>;
}

export const CALLBACK = 'https://suite.example/callback';

/** A registration that was refused, in words that name what is wrong. */
export const refusal = (error: string, words: string) => ({
  ...{ status: 400, body: { error, error_description: expect.stringContaining(words) } },
});
