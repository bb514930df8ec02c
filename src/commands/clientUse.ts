import type { Provider } from 'oidc-provider';
import type { Asking, ClientAdministration, Ruling } from '../core/client/administration.ts';
import type { ClientMetadata } from '../core/client/client.ts';
import { isSeenByMembers } from '../core/client/kinds.ts';
import { clientFault } from '../oidc/provider.ts';
import { administrationOf } from '../parts.ts';
import { type Ground, Refused } from './run.ts';

/** What a person has to be told beside a new secret. */
export const SHOWN_ONCE = 'The secret is shown this once; only its digest is stored. Put it where the app reads it.';

/** What every change of a client takes. */
export const REASON = { reason: { type: 'string', value: 'TEXT', help: 'why, for the history' } } as const;

/** Who asks. */
export const asking = ({ reason }: { readonly reason?: string | undefined }): Asking => ({
  by: 'command line',
  reason,
});

/**
 * What administrators do with clients. Only what registers or changes one needs the provider, which judges it. Nothing here
 * reads a client twice, so that there is nothing to forget.
 */
export const administrationFor = ({ stores, clock, audit }: Ground, provider?: Provider): ClientAdministration =>
  administrationOf(stores, clock, {
    faultOf: (record) => (provider === undefined ? undefined : clientFault(provider, record)),
    forget: () => undefined,
    audit,
  });

/** Says so where the change ends when somebody changes the file. */
export function noteFile({ config }: Ground, id: string, say: (line: string) => void): void {
  if (config.clients.some(({ client_id }) => client_id === id)) {
    say(`Note: CLIENTS_FILE has ${id}, and writes it anew when its entry there changes. Change it there too.`);
  }
}

/** Says so where a client may do to all others what an administrator may. */
export function noteRights(metadata: ClientMetadata, say: (line: string) => void): void {
  if (
    !String(metadata.scope ?? '')
      .split(' ')
      .includes('clients:write')
  )
    return;
  say(
    'Note: with clients:write it can do to every client what an administrator can. Keep its secret as you keep a password of theirs.',
  );
  if (isSeenByMembers(metadata)) say('Note: only the grant client_credentials gets tokens with clients:write.');
}

/** What a use case has done. Throws Refused with all that is wrong. */
export function done<Done>(ruling: Ruling<Done>, id: string): Done {
  if (ruling.ok) return ruling.done;
  switch (ruling.refusal) {
    case 'client-unknown':
      throw unknownClient(id);
    case 'client-exists':
      throw new Refused(`There is a client ${id} already.`);
    case 'client-has-no-secret':
      throw new Refused(`The client ${id} has no secret: it proves itself otherwise.`);
    case 'client-moved-on':
      throw new Refused(`Somebody else changes the client ${id} right now. Try again.`);
    case 'client-refused':
      throw new Refused(ruling.faults.map(sentence).join('\n'));
  }
}

/** No client of this id. */
export const unknownClient = (id: string): Refused => new Refused(`There is no client ${id}.`);

/** The protocol names a fault in fewer words than we do. */
const sentence = (fault: string): string => (fault.endsWith('.') ? fault : `The client is refused: ${fault}.`);
