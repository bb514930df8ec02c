/**
 * `npm test`: starts one MongoDB and one Redis where they are found, runs jest, and closes with the counts. What needs
 * a server that is missing is named as skipped, with the line that gets it. Arguments go to jest.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demandNode24 } from './node24.mjs';
import { findServer, HEADLESS_SHELL, HOW_TO_GET, SERVERS, startMongo, startRedis } from './servers.mjs';

demandNode24();
process.chdir(new URL('..', import.meta.url).pathname);

const found = SERVERS.map(findServer);
const [mongod, redisServer, chromium, python, schemathesis, nginx, oathtool] = found;
const missing = SERVERS.filter((_, index) => found[index] === undefined).map(({ name }) => name);
const scratch = mkdtempSync(join(tmpdir(), 'test-'));
const running = [];
const env = { ...process.env, NODE_ENV: 'test', NODE_OPTIONS: '--experimental-vm-modules --no-warnings' };

let code = 1;
try {
  await makeTrusted();
  if (mongod && redisServer) {
    const [mongo, redis] = await Promise.all([startMongo(mongod), startRedis(redisServer)]);
    running.push(mongo, redis);
    Object.assign(env, {
      ...{ TEST_MONGOD: mongod, TEST_REDIS_SERVER: redisServer },
      ...{ TEST_MONGODB_URI: mongo.uri, TEST_REDIS_URL: redis.uri },
    });
  }
  if (chromium) env.TEST_CHROMIUM = chromium;
  const shell = findServer(HEADLESS_SHELL);
  if (shell) env.TEST_HEADLESS_SHELL = shell;
  if (python) env.TEST_PYTHON = python;
  if (schemathesis) env.TEST_SCHEMATHESIS = schemathesis;
  if (nginx) env.TEST_NGINX = nginx;
  if (oathtool) env.TEST_OATHTOOL = oathtool;
  const results = join(scratch, 'results.json');
  const jest = ['node_modules/jest/bin/jest.js', '--json', `--outputFile=${results}`, ...process.argv.slice(2)];
  code = await run(jest);
  const counts = JSON.parse(readFileSync(results, 'utf8'));
  code = report(counts) ? 0 : 1;
} finally {
  await Promise.all(running.map((server) => server.stop()));
  rmSync(scratch, { recursive: true, force: true });
}
process.exit(code);

/** A certificate for localhost that every process of the tests trusts from its start. */
async function makeTrusted() {
  const { makeCertificate } = await import('../test/support/certificates.ts');
  const { certificate, privateKey } = makeCertificate({ commonName: 'localhost', dnsName: 'localhost' });
  const [cert, key] = [join(scratch, 'cert.pem'), join(scratch, 'key.pem')];
  writeFileSync(cert, certificate.toString());
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  Object.assign(env, { TEST_CERTIFICATE: cert, TEST_CERTIFICATE_KEY: key, NODE_EXTRA_CA_CERTS: cert });
}

function run(args) {
  return new Promise((resolve) => {
    // jest prints its report to the error stream and, with --json, the results to the output, which nobody reads here.
    spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] }).once('exit', resolve);
  });
}

/** Prints what was skipped and the closing line. False when something failed, or was skipped where nothing may be. */
function report({
  success,
  numPassedTests,
  numFailedTests,
  numPendingTests,
  numTodoTests,
  numFailedTestSuites,
  testResults,
}) {
  const skipped = numPendingTests + numTodoTests;
  if (skipped > 0) {
    console.log('\nSkipped:');
    for (const { assertionResults } of testResults) {
      for (const { status, fullName } of assertionResults) if (status === 'pending') console.log(`  ${fullName}`);
    }
  }
  if (missing.length > 0)
    console.log(`\nNot found: ${missing.join(', ')}. To run what needs them, type: ${HOW_TO_GET}`);
  // A file that could not even be loaded has no tests to count.
  const broken = testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length;
  if (broken > 0) console.log(`\n${broken} of ${numFailedTestSuites} failed files could not be run at all.`);
  console.log(`\n${numPassedTests} passed, ${numFailedTests + broken} failed, ${skipped} skipped`);
  return success && broken === 0 && (process.env.CI === undefined || skipped === 0);
}
