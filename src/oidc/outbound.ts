/** Bytes of a document that we fetch for a client: more keys than that no client has. */
export const OUTBOUND_MOST_BYTES = 64 * 1024;

/**
 * Fetches what clients name: key sets, sector documents, back-channel addresses. oidc-provider bounds the time and brings
 * a dispatcher that closes every connection to a private address, after the name was resolved, so that no DNS answer leads
 * inside; without it nothing is fetched. `allowed`: origins in private networks that may be fetched all the same.
 * Redirects are never followed.
 */
export function outboundFetch(allowed: readonly string[]) {
  const origins = new Set(allowed);
  return async (url: string | URL | Request, options: RequestInit = {}): Promise<Response> => {
    const { origin } = new URL(url instanceof Request ? url.url : url);
    const guarded = { ...options, redirect: 'manual' } as const;
    if (origins.has(origin)) {
      const { dispatcher: _, ...open } = guarded as RequestInit & { dispatcher?: unknown };
      return fetch(url, open);
    }
    if (!('dispatcher' in guarded)) throw new Error('there is no guard against private addresses: nothing is fetched');
    return fetch(url, guarded);
  };
}
