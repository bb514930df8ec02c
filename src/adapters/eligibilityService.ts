import type { Clock } from '../core/clock.ts';
import type { Membership, MembershipDirectory, Person } from '../core/membership/membership.ts';
import { Unavailable } from '../core/storage/unavailable.ts';
import { boundedBody } from './boundedBody.ts';
import { circuitBreaker } from './circuitBreaker.ts';
import { EligibilityAnswer } from './eligibilityAnswer.ts';

export interface EligibilityOptions {
  readonly url: string;
  /** Sent as `Authorization: Bearer` (RFC 6750 2.1), where the service wants one. */
  readonly token: string | undefined;
  /** Milliseconds for the whole answer. */
  readonly timeout?: number;
}

const TIMEOUT_MS = 3_000;
const MOST_BYTES = 64 * 1024;
const LIMITS = { failures: 5, pause: 30_000 };

/**
 * The plan's eligibility service over HTTP (docs/eligibility-service.md). Every failure is an Unavailable('membership'). After
 * five in a row it is left alone for 30 seconds.
 */
export function eligibilityService(
  options: EligibilityOptions,
  clock: Clock,
): MembershipDirectory & { isUp(): boolean } {
  const breaker = circuitBreaker(clock, LIMITS);
  const match: MembershipDirectory['match'] = async (person, memberNumber) => {
    try {
      return await breaker.run(() => ask(options, person, memberNumber));
    } catch (error) {
      throw new Unavailable('membership', error);
    }
  };
  return { match, find: (memberNumber, person) => match(person, memberNumber), isUp: breaker.isUp };
}

async function ask(
  { url, token, timeout = TIMEOUT_MS }: EligibilityOptions,
  { firstName, lastName, birthDate, postalCode }: Person,
  memberNumber: string,
): Promise<Membership | undefined> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      ...{ 'content-type': 'application/json', accept: 'application/json' },
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ memberNumber, firstName, lastName, birthDate, postalCode }),
    // What is sent is about a patient: it goes nowhere but to this address.
    redirect: 'manual',
    // Covers the body too.
    signal: AbortSignal.timeout(timeout),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`the eligibility service answered ${response.status}`);
  }
  return membershipIn(await boundedBody(response, MOST_BYTES));
}

/** Throws when the answer has another form; the message repeats none of it, because it goes into logs. */
function membershipIn(body: string): Membership | undefined {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new Error('the answer of the eligibility service is no JSON');
  }
  const { success, data, error } = EligibilityAnswer.safeParse(json);
  if (!success) {
    const places = error.issues.map(({ path }) => path.join('.') || 'the whole');
    throw new Error(`the answer of the eligibility service has another form: ${places.join(', ')}`);
  }
  return data.match ? data.membership : undefined;
}
