import type { ClientMetadata } from '../core/client/client.ts';
import { newClient } from '../core/client/newClient.ts';
import { lintRedirectUri } from '../core/client/redirectUri.ts';
import { seconds } from '../core/clock.ts';
import { clientFault } from '../oidc/provider.ts';
import { CLIENT_OPTIONS, clientOf } from './clientMetadata.ts';
import { columns } from './help.ts';
import { providerOf } from './provider.ts';
import { Refused, subcommand } from './run.ts';

/** What a person has to be told beside a new secret. */
export const SHOWN_ONCE = 'The secret is shown this once; only its digest is stored. Put it where the app reads it.';

export const make = subcommand({
  summary: 'register an app by its kind, with safe defaults',
  about: [
    'web: keeps a secret on a server. single-page: runs in the browser. native: on a phone or computer (RFC 8252).',
    'service: acts for itself, without members. device: has no keyboard, such as a television (RFC 8628).',
    'Those that members come back to use PKCE; ID tokens are in ES256. An app that members see needs --client-uri or --initiate-login-uri.',
  ],
  options: CLIENT_OPTIONS,
  async run({ values, open, say }) {
    const client = clientOf(values);
    for (const advice of judgeAddresses(client)) say(advice);
    const ground = await open();
    const record = newClient(client, seconds(ground.clock));
    const fault = clientFault(await providerOf(ground), record);
    if (fault !== undefined) throw new Refused(`The client is refused: ${fault}.`);
    const { client_id } = record.metadata;
    if ((await ground.stores.clients.insert(client_id, record)) !== 'inserted') {
      throw new Refused(`There is a client ${client_id} already.`);
    }
    await ground.audit.record({ action: 'client-made', subject: { kind: 'client', id: client_id } });
    const { client_secret } = client;
    const secret = client_secret === undefined ? {} : { client_secret };
    return {
      json: { ...record.metadata, ...secret },
      lines: [
        `Made: ${client.client_name}`,
        ...columns(Object.entries({ client_id, ...secret }).map(([name, value]) => [`  ${name}`, value])),
        ...(client_secret === undefined ? [] : [SHOWN_ONCE]),
      ],
    };
  },
});

/** Returns advice on the addresses that members come back to; throws Refused with all that is wrong with them. */
function judgeAddresses({ redirect_uris, post_logout_redirect_uris }: ClientMetadata): string[] {
  const after = Array.isArray(post_logout_redirect_uris) ? post_logout_redirect_uris.map(String) : [];
  const lints = [...redirect_uris, ...after].map((uri) => ({ uri, ...lintRedirectUri(uri) }));
  const faults = lints.flatMap(({ uri, faults }) => faults.map((fault) => `${uri} ${fault}.`));
  if (faults.length > 0) throw new Refused(faults.join('\n'));
  return lints.flatMap(({ uri, advice }) => advice.map((one) => `Note: ${uri} ${one}.`));
}
