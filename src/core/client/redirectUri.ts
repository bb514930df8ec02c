import { isLoopback } from '../loopback.ts';

/** What is wrong with a redirect URI, and what is only unwise, in words that say why. */
export interface RedirectUriLint {
  readonly faults: readonly string[];
  readonly advice: readonly string[];
}

/** Looks at a redirect URI as it is to be registered. It is compared as text, character by character (RFC 9700 2.1). */
export function lintRedirectUri(uri: string): RedirectUriLint {
  const url = URL.parse(uri);
  if (url === null) {
    return { faults: ['is no absolute address, such as https://app.example.org/callback'], advice: [] };
  }
  const faults = [
    uri.includes('#') && 'has a fragment (#), which is lost on the way (RFC 6749 3.1.2)',
    uri.includes('*') && 'has a wildcard (*): addresses are compared as they are; register each one (RFC 9700 4.1.3)',
    (url.username !== '' || url.password !== '') && 'has a name or password before the @, which deceives people',
    url.protocol === 'http:' &&
      !isLoopback(url.hostname) &&
      'is on plain http, where the code can be read on the way; use https (http is for this machine itself only)',
    isAppScheme(url) &&
      !url.protocol.includes('.') &&
      `has the scheme ${url.protocol.slice(0, -1)}, which other apps may take; use a domain of yours in reverse, such as org.example.app:/callback (RFC 8252 7.1)`,
  ];
  const advice = [
    url.protocol === 'http:' &&
      url.hostname === 'localhost' &&
      'names localhost, which another program may answer on some machines; 127.0.0.1 is safer (RFC 8252 8.3)',
  ];
  return { faults: faults.filter((fault) => fault !== false), advice: advice.filter((one) => one !== false) };
}

const isAppScheme = ({ protocol }: URL): boolean => protocol !== 'https:' && protocol !== 'http:';
