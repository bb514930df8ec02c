import type { ClientMetadata } from '../../core/client/client.ts';
import { KIND_METADATA } from '../../core/client/kinds.ts';
import { etagOf } from './conditions.ts';
import { faultsOf, wrong } from './input.ts';
import { mergePatch } from './mergePatch.ts';
import { operation } from './operation.ts';
import {
  Client,
  ClientPage,
  ClientWithSecret,
  MergedMetadata,
  NoQuery,
  PageQuery,
  PatchBody,
  RegisterBody,
  ReplaceBody,
  RotateBody,
} from './schemas.ts';
import { addressOf, clientReply, clientView, metadataOf, page, refusedBy } from './views.ts';

const ONE = '/clients/{client_id}';
const JSON_BODY = { type: 'application/json', most: '64kb' } as const;
const SHOWN = { status: 200, what: 'The client', schema: Client, headers: ['ETag'] } as const;

type Metadata = Omit<ClientMetadata, 'client_id'>;

/** What is registered has a list of addresses, if only an empty one. */
const complete = (metadata: object): Metadata => ({ redirect_uris: [], ...metadata }) as Metadata;

const list = operation({
  ...{ id: 'listClients', method: 'GET', path: '/clients', scope: 'clients:read' },
  summary: 'The registered clients, in the order of their ids',
  query: PageQuery,
  answer: { status: 200, what: 'A page of clients', schema: ClientPage, headers: ['Link'] },
  refusals: [],
  async run({ administration, issuer }, { query: { limit, after = '' } }) {
    const found = await administration.list(after, limit + 1);
    const address = addressOf(issuer, '/clients');
    const { shown, next, headers } = page(found, { limit, address, placeOf: ({ id }) => id });
    return { status: 200, headers, body: { clients: shown.map(clientView), next } };
  },
});

const register = operation({
  ...{ id: 'registerClient', method: 'POST', path: '/clients', scope: 'clients:write' },
  summary: 'Register a client, by its kind with safe defaults or by its metadata alone',
  query: NoQuery,
  body: { ...JSON_BODY, schema: RegisterBody },
  takesKey: true,
  answer: {
    ...{ status: 201, what: 'The new client, with its secret', schema: ClientWithSecret },
    headers: ['ETag', 'Location'],
  },
  refusals: ['client-exists', 'client-refused'],
  async run({ administration, issuer, newId }, { body, asking }) {
    const { kind, metadata, client_id: id = newId(metadata.client_name) } = body;
    const whole = { ...complete({ ...(kind === undefined ? {} : KIND_METADATA[kind]), ...metadata }), client_id: id };
    const ruling = await administration.register(whole as ClientMetadata, asking);
    if (!ruling.ok) return refusedBy(ruling);
    const { client, secret } = ruling.done;
    const Location = addressOf(issuer, `/clients/${encodeURIComponent(id)}`);
    return { ...clientReply(client, secret), status: 201, headers: { ETag: etagOf(client), Location } };
  },
});

const read = operation({
  ...{ id: 'readClient', method: 'GET', path: ONE, scope: 'clients:read' },
  summary: 'One client',
  query: NoQuery,
  answer: SHOWN,
  refusals: ['client-unknown'],
  async run({ administration }, { id }) {
    const stored = await administration.find(id);
    return stored === undefined ? { problem: 'client-unknown' } : clientReply(stored);
  },
});

const replace = operation({
  ...{ id: 'replaceClient', method: 'PUT', path: ONE, scope: 'clients:write' },
  summary: 'Give a client this metadata instead; its id and its secrets stay',
  query: NoQuery,
  body: { ...JSON_BODY, schema: ReplaceBody },
  condition: 'demanded',
  notToItself: true,
  answer: SHOWN,
  refusals: ['client-unknown', 'client-refused'],
  async run({ administration }, { id, body, version, asking }) {
    const ruling = await administration.change(id, version, complete(body.metadata), asking);
    return ruling.ok ? clientReply(ruling.done) : refusedBy(ruling);
  },
});

const patch = operation({
  ...{ id: 'patchClient', method: 'PATCH', path: ONE, scope: 'clients:write' },
  summary: 'Change some of the metadata of a client (RFC 7396)',
  query: NoQuery,
  body: { type: 'application/merge-patch+json', most: '64kb', schema: PatchBody },
  condition: 'demanded',
  notToItself: true,
  answer: SHOWN,
  refusals: ['client-unknown', 'client-refused'],
  async run({ administration }, { id, body, version, asking }) {
    for (;;) {
      const stored = await administration.find(id);
      if (stored === undefined) return { problem: 'client-unknown' };
      if (version !== undefined && version !== stored.version) return { problem: 'client-moved-on' };
      const merged = MergedMetadata.safeParse(mergePatch(metadataOf(stored.value), body.metadata));
      if (!merged.success)
        return wrong(faultsOf(merged.error, (path) => ({ pointer: ['/metadata', ...path].join('/') })));
      const ruling = await administration.change(id, stored.version, complete(merged.data), asking);
      if (ruling.ok) return clientReply(ruling.done);
      // With If-Match: * the patch goes onto whatever the client has become.
      if (ruling.refusal !== 'client-moved-on' || version !== undefined) return refusedBy(ruling);
    }
  },
});

const remove = operation({
  ...{ id: 'deleteClient', method: 'DELETE', path: ONE, scope: 'clients:write' },
  summary: 'Delete a client for good, but for its history',
  query: NoQuery,
  condition: 'demanded',
  notToItself: true,
  answer: { status: 204, what: 'It is gone' },
  refusals: ['client-unknown'],
  async run({ administration }, { id, version, asking }) {
    const ruling = await administration.remove(id, asking, version);
    return ruling.ok ? { status: 204 } : refusedBy(ruling);
  },
});

const switching = (action: 'disable' | 'enable', summary: string) =>
  operation({
    ...{ id: `${action}Client`, method: 'POST', path: `${ONE}/${action}`, scope: 'clients:write', summary },
    query: NoQuery,
    condition: 'optional',
    notToItself: true,
    answer: SHOWN,
    refusals: ['client-unknown'],
    async run({ administration }, { id, version, asking }) {
      const ruling = await administration.switch(id, action === 'disable', asking, version);
      return ruling.ok ? clientReply(ruling.done) : refusedBy(ruling);
    },
  });

const rotateSecret = operation({
  ...{ id: 'rotateSecret', method: 'POST', path: `${ONE}/rotate-secret`, scope: 'clients:write' },
  summary: 'Give a client a new secret; the ones before hold for a while',
  query: NoQuery,
  body: { ...JSON_BODY, schema: RotateBody },
  condition: 'optional',
  answer: { ...SHOWN, what: 'The client, with its new secret', schema: ClientWithSecret },
  refusals: ['client-unknown', 'client-has-no-secret'],
  async run({ administration }, { id, body, version, asking }) {
    const ruling = await administration.rotateSecret(id, body.overlap_seconds, asking, version);
    return ruling.ok ? clientReply(ruling.done.client, ruling.done.secret) : refusedBy(ruling);
  },
});

const endOldSecrets = operation({
  ...{ id: 'endOldSecrets', method: 'POST', path: `${ONE}/end-old-secrets`, scope: 'clients:write' },
  summary: 'End the secrets before the newest at once',
  query: NoQuery,
  condition: 'optional',
  answer: SHOWN,
  refusals: ['client-unknown'],
  async run({ administration }, { id, version, asking }) {
    const ruling = await administration.endOldSecrets(id, asking, version);
    return ruling.ok ? clientReply(ruling.done) : refusedBy(ruling);
  },
});

export const CLIENT_OPERATIONS = [
  ...[list, register, read, replace, patch, remove],
  switching('disable', 'Take all access from a client; its record stays'),
  switching('enable', 'Give a disabled client its access back'),
  ...[rotateSecret, endOldSecrets],
];
