import type { Provider } from 'oidc-provider';
import { clientDirectory } from '../core/client/directory.ts';
import { makeProvider } from '../oidc/provider.ts';
import { keyRingOf, loadAtStart, protocolSettings } from '../parts.ts';
import type { Ground } from './run.ts';

const unused = async () => {
  throw new Error('a command serves no requests');
};

/** The provider's rules and artifacts, for a command; it serves nothing. */
export async function providerOf({ config, secrets, stores, clock, audit }: Ground): Promise<Provider> {
  return makeProvider(
    {
      ...protocolSettings(config, secrets),
      request: () => undefined,
      ...{ stores, clock, audit, directory: clientDirectory(stores.clients, clock) },
      keys: await loadAtStart(keyRingOf(config, secrets, stores, clock)),
      pages: {
        ...{ error: unused, confirmSignOut: unused, signedOut: unused },
        ...{ deviceCode: unused, confirmDevice: unused, deviceDone: unused },
      },
      areOver: () => false,
      logout: { tellOne: unused },
      onRefresh: unused,
      onSignOut: () => undefined,
      onInteraction: unused,
    },
    { refused: () => undefined, failed: () => undefined, notRecorded: () => undefined },
  );
}
