const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether a URL's hostname is this machine itself, where plain http is safe (RFC 8252 8.3). */
export const isLoopback = (hostname: string): boolean => LOOPBACK.has(hostname);
