import type { Collection } from '../storage/collection.ts';

/** The provider's signing keys, sealed: private JWKs (RFC 7517) encrypted under KEY_ENCRYPTION_KEY. */
export interface KeyRing {
  readonly sealedJwks: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
}

const SIGNING_KEY_RING = 'signing';

/**
 * The ring in use. The first process to start makes it; when two start at once, both end up with the one that was
 * stored first.
 */
export async function loadOrMakeKeyRing(keyRings: Collection<KeyRing>, make: () => Promise<KeyRing>): Promise<KeyRing> {
  const stored = await keyRings.find(SIGNING_KEY_RING);
  if (stored !== undefined) return stored.value;
  const made = await make();
  if ((await keyRings.insert(SIGNING_KEY_RING, made)) === 'inserted') return made;
  const first = await keyRings.find(SIGNING_KEY_RING);
  if (first === undefined) throw new Error('the signing keys vanished while they were being made');
  return first.value;
}
