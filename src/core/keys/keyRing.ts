import { type Collection, change } from '../storage/collection.ts';

/** One signing key. Its private part is encrypted under KEY_ENCRYPTION_KEY. Times are seconds since 1970. */
export interface SigningKey {
  readonly kid: string;
  /** RFC 7518 3.1. */
  readonly alg: string;
  /** The private JWK (RFC 7517), sealed. */
  readonly sealed: string;
  readonly createdAt: number;
  /** It is published from the start, so that verifiers know it before the first signature. */
  readonly signsFrom: number;
  /** From then on it is published no longer. */
  readonly goneAt?: number | undefined;
}

/** All signing keys, and the sealed salt of pairwise subjects, which never changes. */
export interface KeyRing {
  readonly keys: readonly SigningKey[];
  readonly sealedSalt: string;
  /** Seconds after which new keys come by themselves, 0 for never; where nobody has set it, as the settings say. */
  readonly rotateEvery?: number | undefined;
}

export type KeyState = 'next' | 'current' | 'retiring' | 'gone';

/** How long things take, in seconds. */
export interface KeyTiming {
  /** Between publishing a key and signing with it: what a verifier may cache, and how late a node may hear of it. */
  readonly ahead: number;
  /** The longest that anything signed is of use: an ID token as a hint until its session ends. */
  readonly longestUse: number;
}

/**
 * Seconds for which a key is published before anything is signed with it: a verifier keeps the old set for `maxAge`, which it may
 * have got from a node just before that looked, at the end of its `poll`. One poll more is for a node whose look failed or was late.
 */
export const publishedAhead = ({ jwksMaxAge, poll }: { readonly jwksMaxAge: number; readonly poll: number }): number =>
  jwksMaxAge + 2 * poll;

const RING = 'signing-keys';

/** What a key is for at this time. Of each algorithm the one that began last is current. */
export function stateOf({ keys }: KeyRing, key: SigningKey, now: number): KeyState {
  if (key.goneAt !== undefined && key.goneAt <= now) return 'gone';
  if (key.signsFrom > now) return 'next';
  const later = keys.some(({ alg, signsFrom }) => alg === key.alg && signsFrom > key.signsFrom && signsFrom <= now);
  return later ? 'retiring' : 'current';
}

/** The keys to publish, each algorithm's current one first: oidc-provider signs with the first that fits. */
export function published(ring: KeyRing, now: number): SigningKey[] {
  const order: readonly KeyState[] = ['current', 'retiring', 'next'];
  return order.flatMap((state) => ring.keys.filter((key) => stateOf(ring, key, now) === state));
}

/** Whether a key waits for its turn. */
export const hasNext = (ring: KeyRing, now: number): boolean =>
  ring.keys.some((key) => stateOf(ring, key, now) === 'next');

const DAY = 86_400;
export const MOST_ROTATION_DAYS = 400;

/** A number of days as it was typed, in seconds, 0 for never; undefined where it is none. */
export const rotationIn = (typed: string): number | undefined =>
  /^\d{1,3}$/.test(typed) && Number(typed) <= MOST_ROTATION_DAYS ? Number(typed) * DAY : undefined;

/** When new keys come that come after so many seconds, in seconds since 1970; undefined for never. */
export const rotatesAt = ({ keys }: KeyRing, every: number): number | undefined =>
  every === 0 ? undefined : Math.max(...keys.map(({ createdAt }) => createdAt)) + every;

/**
 * The ring with new keys: published now, signing when every verifier can know them. The old ones go when nothing that
 * they signed is of use any longer. In an emergency the old ones go at once, and all that they signed is void.
 */
export function withNewKeys(
  ring: KeyRing,
  made: readonly Omit<SigningKey, 'createdAt' | 'signsFrom'>[],
  { ahead, longestUse }: KeyTiming,
  now: number,
  emergency = false,
): KeyRing {
  const signsFrom = emergency ? now : now + ahead;
  const goneAt = signsFrom + longestUse;
  const old = emergency ? [] : ring.keys.filter((key) => stateOf(ring, key, now) !== 'gone');
  const fresh = made.map((key) => ({ ...key, createdAt: now, signsFrom }));
  return { ...ring, keys: [...old.map((key) => ({ ...key, goneAt: key.goneAt ?? goneAt })), ...fresh] };
}

/**
 * The ring in use. The first process to start makes it; when two start at once, both end up with the one that was
 * stored first.
 */
export async function loadOrMakeKeyRing(keyRings: Collection<KeyRing>, make: () => Promise<KeyRing>): Promise<KeyRing> {
  const stored = await keyRings.find(RING);
  if (stored !== undefined) return stored.value;
  const made = await make();
  if ((await keyRings.insert(RING, made)) === 'inserted') return made;
  const first = await keyRings.find(RING);
  if (first === undefined) throw new Error('the signing keys vanished while they were being made');
  return first.value;
}

/**
 * Changes the ring if `to` answers with another one. Of two processes that rotate at once the second looks again.
 * Returns the ring as it stands then.
 */
export async function changeKeyRing(
  keyRings: Collection<KeyRing>,
  to: (ring: KeyRing) => Promise<KeyRing | undefined>,
): Promise<KeyRing> {
  const ring = await change(keyRings, RING, to);
  if (ring === undefined) throw new Error('there are no signing keys yet');
  return ring;
}
