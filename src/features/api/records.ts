import { changesAfter } from '../../core/client/changes.ts';
import { exportClients, importClients, type TransferredClient } from '../../core/client/transfer.ts';
import { operation } from './operation.ts';
import { Export, History, ImportBody, Imported, ImportQuery, NoQuery, PageQuery } from './schemas.ts';
import { addressOf, changeView, importedView, page } from './views.ts';

const history = operation({
  ...{ id: 'readHistory', method: 'GET', path: '/clients/{client_id}/history', scope: 'clients:read' },
  summary: 'What was changed about a client, by whom and why; also of one that is deleted',
  query: PageQuery,
  answer: { status: 200, what: 'A page of the history', schema: History, headers: ['Link'] },
  refusals: ['client-unknown'],
  async run({ administration, changes, issuer }, { id, query: { limit, after = '' } }) {
    const found = await changesAfter(changes, id, after, limit + 1);
    // Clients of CLIENTS_FILE have no history before their first change.
    if (found.length === 0 && after === '' && (await administration.find(id)) === undefined) {
      return { problem: 'client-unknown' };
    }
    const address = addressOf(issuer, `/clients/${encodeURIComponent(id)}/history`);
    const { shown, next, headers } = page(found, { limit, address, placeOf: ({ place }) => place });
    return { status: 200, headers, body: { changes: shown.map(({ change }) => changeView(change)), next } };
  },
});

const exportAll = operation({
  ...{ id: 'exportClients', method: 'GET', path: '/export', scope: 'clients:read' },
  summary: 'All clients, without their secrets, as an import takes them',
  query: NoQuery,
  answer: { status: 200, what: 'All clients', schema: Export },
  refusals: [],
  run: async ({ clients }) => ({ status: 200, body: { clients: await exportClients(clients) } }),
});

const importAll = operation({
  ...{ id: 'importClients', method: 'POST', path: '/import', scope: 'clients:write' },
  summary:
    'Bring clients to what an export says: all of them or, where one is refused, none. Clients that it does not name stay',
  query: ImportQuery,
  body: { type: 'application/json', most: '4mb', schema: ImportBody },
  answer: { status: 200, what: 'What has, or would have, become of each', schema: Imported },
  refusals: ['import-refused', 'own-registration'],
  async run({ administration }, { query, body, asking, callerId }) {
    const entries = body.clients.map((entry) => ({
      ...entry,
      metadata: { redirect_uris: [], ...entry.metadata },
    })) as readonly TransferredClient[];
    const own = entries.filter(({ client_id }) => client_id === callerId);
    const { clients: ofItself } = await importClients(administration, own, asking, true);
    if (ofItself.some(({ outcome }) => outcome === 'changed')) return { problem: 'own-registration' };
    const isDry = query.dry_run === 'true';
    const { written, clients } = await importClients(administration, entries, asking, isDry);
    const refused = clients.flatMap(({ faults }, index) =>
      faults.map((detail) => ({ detail, pointer: `/clients/${index}/metadata` })),
    );
    if (!isDry && !written) return { problem: 'import-refused', errors: refused };
    return { status: 200, body: { written, clients: clients.map(importedView) } };
  },
});

export const RECORD_OPERATIONS = [history, exportAll, importAll];
