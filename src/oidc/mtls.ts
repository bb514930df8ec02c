import type { X509Certificate } from 'node:crypto';
import type { KoaContextWithOIDC, TLSClientAuthProperty } from 'oidc-provider';

/** Finds the certificate that a client showed to the proxy that ends TLS for us, or undefined. */
export type ClientCertificateOf = (ctx: KoaContextWithOIDC) => X509Certificate | undefined;

/** Certificates of clients (RFC 8705). `authorities`: who may have issued them; each by itself, no chains. */
export function mutualTls(certificateOf: ClientCertificateOf, authorities: readonly X509Certificate[]) {
  return {
    enabled: true,
    certificateBoundAccessTokens: true,
    selfSignedTlsClientAuth: true,
    tlsClientAuth: authorities.length > 0,
    getCertificate: (ctx: KoaContextWithOIDC) => certificateOf(ctx),
    certificateAuthorized(ctx: KoaContextWithOIDC): boolean {
      const certificate = certificateOf(ctx);
      return (
        certificate !== undefined && isValidNow(certificate) && authorities.some((one) => issued(one, certificate))
      );
    },
    certificateSubjectMatches(ctx: KoaContextWithOIDC, property: TLSClientAuthProperty, expected: string): boolean {
      const certificate = certificateOf(ctx);
      return certificate !== undefined && namesOf(certificate, property).includes(expected);
    },
  };
}

const issued = (authority: X509Certificate, certificate: X509Certificate): boolean =>
  authority.ca &&
  isValidNow(authority) &&
  isForClients(certificate) &&
  certificate.checkIssued(authority) &&
  certificate.verify(authority.publicKey);

/** TLS client authentication, where the certificate says what it is for (RFC 5280 4.2.1.12). */
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const isForClients = ({ keyUsage }: X509Certificate): boolean => keyUsage?.includes(CLIENT_AUTH) ?? true;

const isValidNow = ({ validFrom, validTo }: X509Certificate): boolean =>
  Date.parse(validFrom) <= Date.now() && Date.now() < Date.parse(validTo);

const ALTERNATIVE: Readonly<Record<Exclude<TLSClientAuthProperty, 'tls_client_auth_subject_dn'>, string>> = {
  tls_client_auth_san_dns: 'DNS:',
  tls_client_auth_san_uri: 'URI:',
  tls_client_auth_san_ip: 'IP Address:',
  tls_client_auth_san_email: 'email:',
};

/** The names of one kind in a certificate; the subject as RFC 4514 writes it, most specific part first. */
function namesOf(certificate: X509Certificate, property: TLSClientAuthProperty): string[] {
  if (property === 'tls_client_auth_subject_dn') return [certificate.subject.split('\n').reverse().join(',')];
  const prefix = ALTERNATIVE[property];
  return (certificate.subjectAltName ?? '')
    .split(', ')
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length));
}
