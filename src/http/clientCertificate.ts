import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { proxyFinder } from './network.ts';

/** Finds the certificate that a client showed to the proxy in front of us. Nobody else is believed. */
export function clientCertificates(header: string, trustedProxies: readonly string[]) {
  const isProxy = proxyFinder(trustedProxies);
  return (ctx: { readonly req: IncomingMessage }): X509Certificate | undefined => {
    const field = ctx.req.headers[header.toLowerCase()];
    return typeof field === 'string' && isProxy(ctx) ? readClientCertificate(field) : undefined;
  };
}

/**
 * The certificate that a proxy which ends TLS hands on: the `Client-Cert` field of RFC 9440 (`:base64 of DER:`), or a PEM
 * text that is percent-encoded, as nginx writes it. Undefined for anything else.
 */
function readClientCertificate(field: string): X509Certificate | undefined {
  const [, der] = /^:([\w+/]+=*):$/.exec(field) ?? [];
  try {
    if (der !== undefined) return new X509Certificate(Buffer.from(der, 'base64'));
    return field.startsWith('-----BEGIN') ? new X509Certificate(decodeURIComponent(field)) : undefined;
  } catch {
    return undefined;
  }
}
