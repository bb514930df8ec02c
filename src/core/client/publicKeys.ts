/** The parts of a JWK that only its owner may have (RFC 7518 6.2.2, 6.3.2, 6.4). */
const PRIVATE_PARTS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

export const isPrivateKey = (key: unknown): boolean =>
  typeof key === 'object' && key !== null && PRIVATE_PARTS.some((part) => part in key);

/** Whether a JWK Set (RFC 7517 5) has more in it than public keys: what is registered is read by many. */
export function holdsPrivateKey(jwks: unknown): boolean {
  const keys: unknown = (jwks as { keys?: unknown } | null | undefined)?.keys;
  return Array.isArray(keys) && keys.some(isPrivateKey);
}
