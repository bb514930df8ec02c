import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { apiScript, scriptClient } from '../support/apiScript.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { type RunningProvider, startProvider } from '../support/provider.ts';
import { webClient } from '../support/relyingParty.ts';
import type { StorePair } from '../support/stores.ts';

const { TEST_SCHEMATHESIS } = process.env;

/**
 * What a property-based tester holds the answers to. Not among them are that everything of the right form is taken, because what a client
 * may be is said in no schema; and that a missing If-Match is a 400, because it is a 428 (RFC 6585 3).
 */
const CHECKS = [
  ...['not_a_server_error', 'status_code_conformance', 'content_type_conformance', 'response_schema_conformance'],
  ...['response_headers_conformance', 'unsupported_method', 'allow_header_conformance', 'ignored_auth'],
  'use_after_free',
];

/** The combinations of all borders take half a minute, and are about forms and not about stores. */
const phasesOn = ({ name }: StorePair): string =>
  name === 'the embedded store' ? 'examples,coverage,fuzzing' : 'examples,fuzzing,stateful';

describeOnEveryStore('the administration API', (pair) => {
  const folder = mkdtempSync(join(tmpdir(), 'schemathesis-'));
  let provider: RunningProvider;
  let token: string;
  beforeAll(async () => {
    provider = await startProvider(pair, { clients: [scriptClient('tester'), webClient()] });
    token = (await apiScript(provider, 'tester')).token;
  });
  afterAll(async () => {
    await provider.close();
    rmSync(folder, { recursive: true, force: true });
  });

  (TEST_SCHEMATHESIS === undefined ? test.skip : test)(
    'answers whatever Schemathesis makes up as its document says, and never with a 5xx',
    async () => {
      const { code, said } = await run([
        ...['run', `${provider.issuer}/api/v1/openapi.json`, '--header', `Authorization: Bearer ${token}`],
        ...['--checks', CHECKS.join(','), '--phases', phasesOn(pair), '--max-examples', '20', '--seed', '7'],
        ...['--no-shrink', '--generation-database', 'none', '--no-color', '--continue-on-failure'],
        ...['--warnings', 'off'],
      ]);
      expect([code, said]).toEqual([0, expect.stringMatching(/\d{3,} generated, \d{3,} passed/)]);
      // What it has tried was not all refused.
      for (const status of [200, 201, 400, 404, 412, 422]) expect(statuses()).toContain(status);
    },
    120_000,
  );

  const statuses = (): readonly number[] => provider.log.map((line) => JSON.parse(line).status);

  function run(args: readonly string[]): Promise<{ code: number | null; said: string }> {
    const cli = ['-c', 'from schemathesis.cli import schemathesis; schemathesis()', ...args];
    const child = spawn(String(TEST_SCHEMATHESIS), cli, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
    return new Promise((resolve, reject) => {
      child.once('error', reject).once('close', (code) => resolve({ code, said }));
    });
  }
});
