import { type Collection, change } from '../storage/collection.ts';

/** What a member has allowed an app: a lasting record, because it is a disclosure of medical data. */
export interface Consent {
  readonly accountId: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly claims: readonly string[];
  /** What it may do at the plan's APIs; see `apiScope`. */
  readonly apiScopes?: readonly string[];
  /** Seconds since 1970. */
  readonly givenAt: number;
  readonly until: number;
}

/** What an app asks for beyond what it may already see. */
export interface ConsentRequest {
  readonly scopes: readonly string[];
  readonly claims: readonly string[];
  readonly apiScopes: readonly string[];
}

/** A scope of an API (RFC 8707) as one text: scopes hold no spaces. */
export const apiScope = ({ resource, scope }: ApiScope): string => `${resource} ${scope}`;

export function readApiScope(text: string): ApiScope {
  const [resource = '', scope = ''] = text.split(' ');
  return { resource, scope };
}

interface ApiScope {
  readonly resource: string;
  readonly scope: string;
}

/** A consent is asked for again after this many days. */
export const CONSENT_DAYS = 365;

const consentId = (accountId: string, clientId: string): string => `${accountId}/${clientId}`;

/** The consent that holds now, or undefined when there is none or it has run out. */
export async function findConsent(
  consents: Collection<Consent>,
  accountId: string,
  clientId: string,
  nowSeconds: number,
): Promise<Consent | undefined> {
  const stored = await consents.find(consentId(accountId, clientId));
  return stored !== undefined && stored.value.until > nowSeconds ? stored.value : undefined;
}

/** Adds what was just allowed to what was allowed before and still holds. */
export async function giveConsent(
  consents: Collection<Consent>,
  accountId: string,
  clientId: string,
  request: ConsentRequest,
  nowSeconds: number,
): Promise<void> {
  const id = consentId(accountId, clientId);
  for (;;) {
    const stored = await consents.find(id);
    const before = stored !== undefined && stored.value.until > nowSeconds ? stored.value : undefined;
    const consent: Consent = {
      accountId,
      clientId,
      scopes: union(before?.scopes, request.scopes),
      claims: union(before?.claims, request.claims),
      apiScopes: union(before?.apiScopes, request.apiScopes),
      givenAt: nowSeconds,
      until: nowSeconds + CONSENT_DAYS * 86_400,
    };
    const written =
      stored === undefined
        ? (await consents.insert(id, consent)) === 'inserted'
        : await consents.replace(id, stored.version, consent);
    if (written) return;
  }
}

/** The scopes that have words of their own; others are shown by name. */
const WORDED = new Set(['openid', 'profile', 'email', 'phone', 'address', 'membership', 'offline_access']);

/** Scopes as a page lists them. "Keep getting this" makes sense only after what "this" is. */
export const shownScopes = (scopes: readonly string[]) =>
  scopes
    .toSorted((a, b) => Number(a === 'offline_access') - Number(b === 'offline_access'))
    .map((name) => ({ name, worded: WORDED.has(name) }));

/** What a member allows to apps now, and until when. */
export async function consentsOf(
  consents: Collection<Consent>,
  accountId: string,
  nowSeconds: number,
): Promise<Consent[]> {
  const prefix = consentId(accountId, '');
  const found: Consent[] = [];
  for (let after = prefix; ; ) {
    const documents = await consents.all(after, 100);
    const own = documents.filter(({ id }) => id.startsWith(prefix));
    found.push(...own.map(({ value }) => value));
    const last = own.at(-1);
    if (own.length < 100 || last === undefined) return found.filter(({ until }) => until > nowSeconds);
    after = last.id;
  }
}

/** The member allows it no more. The record stays, with its end. */
export async function endConsent(
  consents: Collection<Consent>,
  accountId: string,
  clientId: string,
  nowSeconds: number,
): Promise<void> {
  await change(consents, consentId(accountId, clientId), (consent) =>
    consent.until > nowSeconds ? { ...consent, until: nowSeconds } : undefined,
  );
}

const union = (before: readonly string[] = [], added: readonly string[]): string[] => [
  ...new Set([...before, ...added]),
];
