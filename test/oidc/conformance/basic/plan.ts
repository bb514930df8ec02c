/**
 * The modules of `oidcc-basic-certification-test-plan`, for one way in which answers come back to the app. The Form Post
 * plan is the same list once more.
 */
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { type RunningProvider, startProvider } from '../../../support/provider.ts';
import { STORE_PAIRS } from '../../../support/stores.ts';
import { movableDate } from '../../../support/time.ts';
import type { ResponseMode } from '../answers.ts';
import { type RelyingParty, relyingParty, suiteClient } from '../suite.ts';
import { claimModules } from './claims.ts';
import { codeModules } from './codes.ts';
import { registrationModules } from './registration.ts';
import { requestModules } from './requests.ts';
import { sessionModules } from './sessions.ts';

/** What a module has at hand. */
export interface Bench {
  readonly provider: RunningProvider;
  readonly mode: ResponseMode;
  /** The client of most modules, another one, and one that sends its secret in the form. */
  readonly app: RelyingParty;
  readonly second: RelyingParty;
  readonly posting: RelyingParty;
  readonly date: ReturnType<typeof movableDate>;
}

const CLIENTS = [
  suiteClient(),
  suiteClient({ client_id: 'conformance-suite-2', client_secret: 'another-secret-that-is-long-and-random-enough' }),
  suiteClient({ client_id: 'conformance-suite-post', token_endpoint_auth_method: 'client_secret_post' }),
] as const;

export function basicModules(mode: ResponseMode): void {
  let bench: Omit<Bench, 'date'>;
  let date: Bench['date'];
  beforeAll(async () => {
    const provider = await startProvider(STORE_PAIRS[0], { clients: CLIENTS });
    const party = (client: RelyingParty['client']) => relyingParty(provider.issuer, client, { mode });
    const [app, second, posting] = [await party(CLIENTS[0]), await party(CLIENTS[1]), await party(CLIENTS[2])];
    bench = { provider, mode, app, second, posting };
  });
  beforeEach(() => {
    date = movableDate();
  });
  afterEach(() => date.restore());
  afterAll(() => bench.provider.close());

  const at = (): Bench => ({ ...bench, date });
  codeModules(at);
  claimModules(at);
  sessionModules(at);
  requestModules(at);
  registrationModules(at);
}
