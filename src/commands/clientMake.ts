import { judgeClient } from '../core/client/administration.ts';
import type { ClientMetadata } from '../core/client/client.ts';
import { CLIENT_OPTIONS, clientOf } from './clientMetadata.ts';
import { administrationFor, asking, done, noteRights, REASON, SHOWN_ONCE } from './clientUse.ts';
import { columns } from './help.ts';
import { providerOf } from './provider.ts';
import { Refused, subcommand } from './run.ts';

export const make = subcommand({
  summary: 'register an app by its kind, with safe defaults',
  about: [
    'web: keeps a secret on a server. single-page: runs in the browser. native: on a phone or computer (RFC 8252).',
    'service: acts for itself, without members. device: has no keyboard, such as a television (RFC 8628).',
    'Those that members come back to use PKCE; ID tokens are in ES256. An app that members see needs --client-uri or --initiate-login-uri.',
  ],
  options: { ...CLIENT_OPTIONS, ...REASON },
  async run({ values, open, say }) {
    const client = clientOf(values);
    const { faults, advice } = judgeClient(client);
    if (faults.length > 0) throw new Refused(faults.join('\n'));
    for (const one of advice) say(`Note: ${one}`);
    const ground = await open();
    const { client_secret: brought, ...metadata } = client;
    const administration = administrationFor(ground, await providerOf(ground));
    const { client_id } = client;
    const made = done(await administration.register(metadata as ClientMetadata, asking(values), brought), client_id);
    noteRights(client, say);
    const secret = made.secret === undefined ? {} : { client_secret: made.secret };
    return {
      json: { ...made.client.value.metadata, ...secret },
      lines: [
        `Made: ${client.client_name}`,
        ...columns(Object.entries({ client_id, ...secret }).map(([name, value]) => [`  ${name}`, value])),
        ...(made.secret === undefined ? [] : [SHOWN_ONCE]),
      ],
    };
  },
});
