import type { ClientAdministration, Ruling, WithSecret } from '../../core/client/administration.ts';
import { type ClientChange, changesOf } from '../../core/client/changes.ts';
import type { ClientMetadata, ClientRecord } from '../../core/client/client.ts';
import { CLIENT_KINDS, type ClientKind, isSeenByMembers, KIND_METADATA, needsSecret } from '../../core/client/kinds.ts';
import type { Outcome } from '../../core/refusal.ts';
import { proven, refused } from '../../core/refusal.ts';
import { may } from '../../core/staff/roles.ts';
import type { Collection, Stored } from '../../core/storage/collection.ts';
import type { PageContext } from '../../http/context.ts';
import type { Form } from '../../http/form.ts';
import { reasonIn } from '../../http/page.ts';
import type { StaffPage, StaffVisit } from '../../http/staffDoor.ts';
import { doneAt } from './done.ts';
import { snippetsFor } from './snippets.ts';

export interface ClientsDependencies {
  readonly administration: ClientAdministration;
  readonly clientChanges: Collection<ClientChange>;
  readonly issuer: string;
  /** The name of who did something, by the id that the history keeps. */
  readonly nameOf: (by: string) => Promise<string>;
  readonly newClientId: (name: string) => string;
}

const PATH = '/clients';
const ROOT = `/admin${PATH}`;
const ON_A_PAGE = 50;
export const pageOf = (id: string): string => `${ROOT}/app/${encodeURIComponent(id)}`;

const methodOf = ({ token_endpoint_auth_method: method }: ClientMetadata): string =>
  String(method ?? 'client_secret_basic');

/** Every registered app. */
export const clientsPage = ({ administration }: ClientsDependencies): StaffPage => ({
  path: PATH,
  view: 'admin/clients',
  may: 'clients.read',
  async show({ roles }, ctx) {
    const found = await administration.list(String(ctx.query.after ?? ''), ON_A_PAGE + 1);
    const shown = found.slice(0, ON_A_PAGE).map(({ id, value: { metadata, disabled } }) => ({
      ...{ id, path: pageOf(id), name: metadata.client_name ?? id, method: methodOf(metadata), disabled },
    }));
    const more = found.length > ON_A_PAGE ? shown.at(-1)?.id : undefined;
    return { clients: shown, more, mayChange: may(roles, 'clients.change') };
  },
});

const lines = (text: string | undefined): string[] =>
  (text ?? '')
    .split(/\s+/)
    .map((line) => line.trim())
    .filter((line) => line !== '');

const FIELDS = ['name', 'redirect-uris', 'post-logout-redirect-uris', 'client-uri', 'backchannel-logout-uri', 'scope'];

/** What the fields of the form say, for a client of before or a new one. */
function metadataIn(form: Form, before: Partial<ClientMetadata>): ClientMetadata {
  const text = (name: string) => (form.get(name) ?? '').normalize('NFC').trim() || undefined;
  const logout = text('backchannel-logout-uri');
  const all = {
    ...before,
    client_name: text('name'),
    redirect_uris: lines(form.get('redirect-uris')),
    post_logout_redirect_uris: lines(form.get('post-logout-redirect-uris')),
    client_uri: text('client-uri'),
    backchannel_logout_uri: logout,
    backchannel_logout_session_required: logout === undefined ? undefined : true,
    scope: text('scope'),
    first_party: form.has('first-party') ? true : undefined,
    require_mfa: form.has('require-mfa') ? true : undefined,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as ClientMetadata;
}

/** The same the other way round. */
const fieldsOf = (metadata: ClientMetadata): Record<string, string> => ({
  name: metadata.client_name ?? '',
  'redirect-uris': metadata.redirect_uris.join('\n'),
  'post-logout-redirect-uris': [metadata.post_logout_redirect_uris ?? []].flat().join('\n'),
  'client-uri': metadata.client_uri ?? '',
  'backchannel-logout-uri': String(metadata.backchannel_logout_uri ?? ''),
  scope: String(metadata.scope ?? ''),
  ...(metadata.first_party ? { 'first-party': 'yes' } : {}),
  ...(metadata.require_mfa ? { 'require-mfa': 'yes' } : {}),
});

const typedFields = (typed: Form): Record<string, string> =>
  Object.fromEntries(
    [...FIELDS, 'first-party', 'require-mfa', 'client-id', 'kind'].flatMap((name) => {
      const value = typed.get(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );

const asking = ({ account }: StaffVisit, form: Form) => ({ by: account.id, reason: reasonIn(form) });

/** Faults are said where the form is shown again; the refusal alone has no room for them. */
const faults = new WeakMap<Form, readonly string[]>();

function refusedBy(ruling: Ruling<unknown> & { readonly ok: false }, form: Form): Outcome<never> {
  faults.set(form, ruling.faults);
  return refused(ruling.refusal);
}

export const faultsIn = (typed: Form | undefined): readonly string[] => (typed && faults.get(typed)) ?? [];

/** A secret is shown on the very answer to the form, and never again. */
const shownOnce = ({ client, secret }: WithSecret, issuer: string) =>
  proven({
    view: 'admin/client-ready',
    locals: {
      ...{ id: client.id, name: client.value.metadata.client_name ?? client.id, secret, path: pageOf(client.id) },
      snippets: snippetsFor(issuer, client.value.metadata),
    },
  });

/** Registers an app by its kind, with the safe defaults of that kind. */
export const newClientPage = (deps: ClientsDependencies): StaffPage => ({
  path: `${PATH}/new`,
  view: 'admin/client-new',
  may: 'clients.change',
  fresh: true,
  show: async (_, __, typed) => ({
    kinds: CLIENT_KINDS,
    fields: typed === undefined ? {} : typedFields(typed),
    faults: faultsIn(typed),
  }),
  actions: {
    register: {
      ...({ fresh: true, once: true } as const),
      async run(form, visit) {
        const kind = CLIENT_KINDS.find((one): one is ClientKind => one === form.get('kind'));
        if (kind === undefined) return refused('client-kind-missing');
        const name = (form.get('name') ?? '').trim();
        const client_id = (form.get('client-id') ?? '').trim() || deps.newClientId(name);
        if (!/^[\w.~-]{1,100}$/.test(client_id)) return refused('client-id-malformed');
        const metadata = metadataIn(form, { ...KIND_METADATA[kind], client_id });
        const ruling = await deps.administration.register(metadata, asking(visit, form));
        return ruling.ok ? shownOnce(ruling.done, deps.issuer) : refusedBy(ruling, form);
      },
      fieldOf: (refusal) =>
        refusal === 'client-kind-missing' ? 'kind-web' : refusal === 'client-id-malformed' ? 'client-id' : 'name',
    },
  },
});

export const found = (deps: ClientsDependencies, id: unknown): Promise<Stored<ClientRecord> | undefined> =>
  deps.administration.find(String(id));

/** A picture says nothing in letters; the page of the look shows it. */
const withoutLogo = ({ brand_logo: _, ...rest }: ClientMetadata): object => rest;

const canTest = ({ redirect_uris, require_pushed_authorization_requests: pushed }: ClientMetadata): boolean =>
  redirect_uris.length > 0 && pushed !== true;

/** One app: what it is, its secrets, what was changed, and what can be done with it. */
export const clientPage = (deps: ClientsDependencies): StaffPage => ({
  path: `${PATH}/app/:id`,
  view: 'admin/client',
  may: 'clients.read',
  async show({ roles }, ctx, typed) {
    const client = await found(deps, ctx.params.id);
    if (client === undefined) return undefined;
    const { metadata, secrets, disabled, createdAt, updatedAt } = client.value;
    const history = (await changesOf(deps.clientChanges, client.id, 50)).map(async (change) => ({
      ...change,
      who: await deps.nameOf(change.by),
    }));
    return {
      ...{ id: client.id, name: metadata.client_name ?? client.id, disabled, createdAt, updatedAt, secrets },
      metadata: Object.entries(withoutLogo(metadata)).map(([name, value]) => [
        name,
        typeof value === 'string' ? value : JSON.stringify(value),
      ]),
      lookPath: isSeenByMembers(metadata) ? `${pageOf(client.id)}/look` : undefined,
      ...{
        hasSecret: needsSecret(metadata),
        editPath: `${pageOf(client.id)}/edit`,
        history: await Promise.all(history),
      },
      // Pushed requests need the app's own proof, and a service has no members.
      mayChange: may(roles, 'clients.change'),
      testPath:
        may(roles, 'clients.change') && canTest(metadata) && !disabled
          ? `${pageOf(client.id)}/test-sign-in`
          : undefined,
      ...{ faults: faultsIn(typed), overlap: typed?.get('overlap') ?? 'week', typedId: typed?.get('confirm-id') ?? '' },
    };
  },
  actions: {
    'rotate-secret': {
      ...({ fresh: true, may: 'clients.change', sure: () => true, once: true } as const),
      async run(form, visit, ctx) {
        const overlap = { week: 7 * 86_400, day: 86_400, now: 0 }[form.get('overlap') ?? 'week'] ?? 7 * 86_400;
        const ruling = await deps.administration.rotateSecret(String(ctx.params.id), overlap, asking(visit, form));
        return ruling.ok ? shownOnce(ruling.done, deps.issuer) : refusedBy(ruling, form);
      },
      fieldOf: () => 'rotate',
    },
    'end-old-secrets': {
      ...({ fresh: true, may: 'clients.change', sure: () => true } as const),
      run: async (form, visit, ctx) => {
        const id = String(ctx.params.id);
        const ruling = await deps.administration.endOldSecrets(id, asking(visit, form));
        return ruling.ok ? proven(doneAt(pageOf(id), 'secrets-ended')) : refusedBy(ruling, form);
      },
    },
    switch: {
      ...({ fresh: true, may: 'clients.change' } as const),
      sure: (form) => form.get('to') === 'disabled',
      async run(form, visit, ctx) {
        const id = String(ctx.params.id);
        const disabled = form.get('to') === 'disabled';
        const ruling = await deps.administration.switch(id, disabled, asking(visit, form));
        return ruling.ok
          ? proven(doneAt(pageOf(id), disabled ? 'client-disabled' : 'client-enabled'))
          : refusedBy(ruling, form);
      },
    },
    delete: {
      ...({ fresh: true, may: 'clients.change' } as const),
      async run(form, visit, ctx) {
        const id = String(ctx.params.id);
        // Asked again: nobody types its id by mistake.
        if ((form.get('confirm-id') ?? '').trim() !== id) return refused('client-id-wrong');
        const ruling = await deps.administration.remove(id, asking(visit, form));
        return ruling.ok ? proven(doneAt(ROOT, 'client-deleted')) : refusedBy(ruling, form);
      },
      fieldOf: () => 'confirm-id',
    },
  },
});

/** Of the page that is sent: who was slower is told, and overwrites nothing. */
export const versionOn = ({ version }: Stored<ClientRecord>, typed: Form | undefined): string | number =>
  typed?.get('version') ?? version;

/** Saves what a form makes of a registration, and leads to a page below the app's own. */
export const saving =
  (deps: ClientsDependencies, to: (before: ClientMetadata, form: Form) => ClientMetadata, page = '') =>
  async (form: Form, visit: StaffVisit, ctx: PageContext): Promise<Outcome<string>> => {
    const client = await found(deps, ctx.params.id);
    if (client === undefined) return refused('client-unknown');
    const { client_id: _, ...metadata } = to(client.value.metadata, form);
    const version = Number(form.get('version'));
    const ruling = await deps.administration.change(client.id, version, metadata as never, asking(visit, form));
    return ruling.ok ? proven(doneAt(pageOf(client.id) + page, 'client-changed')) : refusedBy(ruling, form);
  };

/** The same fields as at its registration; what else the registration has stays as it is. */
export const editClientPage = (deps: ClientsDependencies): StaffPage => ({
  path: `${PATH}/app/:id/edit`,
  view: 'admin/client-edit',
  may: 'clients.change',
  fresh: true,
  async show(_, ctx, typed) {
    const client = await found(deps, ctx.params.id);
    if (client === undefined) return undefined;
    const { metadata } = client.value;
    return {
      ...{ id: client.id, name: metadata.client_name ?? client.id, path: pageOf(client.id) },
      fields: typed === undefined ? fieldsOf(metadata) : typedFields(typed),
      ...{ version: versionOn(client, typed), faults: faultsIn(typed) },
    };
  },
  actions: {
    save: {
      fresh: true,
      run: saving(deps, (before, form) => metadataIn(form, before)),
      fieldOf: () => 'name',
    },
  },
});
