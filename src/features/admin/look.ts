import { logoUrl } from '../../core/client/brand.ts';
import { type ClientMetadata, describeApp } from '../../core/client/client.ts';
import { proven, refused } from '../../core/refusal.ts';
import { type Form, fileBytes } from '../../http/form.ts';
import { asking, type ClientsDependencies, faultsIn, found, pageOf, refusedBy } from './clients.ts';
import { doneAt } from './done.ts';
import type { AdminPage } from './door.ts';

/** How the sign-in pages of one app look, and the messages that are written on the way to it. */
export const lookPage = (deps: ClientsDependencies): AdminPage => ({
  path: '/clients/app/:id/look',
  view: 'admin/look',
  may: 'clients.change',
  fresh: true,
  async show(_, ctx, typed) {
    const client = await found(deps, ctx.params.id);
    if (client === undefined) return undefined;
    const { metadata } = client.value;
    const app = describeApp(metadata, deps.issuer, ctx.state.locale);
    return {
      // This page looks as those will that it is about.
      ...{ app, id: client.id, path: pageOf(client.id), faults: faultsIn(typed) },
      color: typed?.get('color') ?? metadata.brand_color ?? '',
      hasLogo: metadata.brand_logo !== undefined,
      // Of the page that is sent: who was slower is told, and overwrites nothing.
      version: typed?.get('version') ?? client.version,
    };
  },
  actions: {
    save: {
      ...({ fresh: true, upload: true } as const),
      async run(form, visit, ctx) {
        const client = await found(deps, ctx.params.id);
        if (client === undefined) return refused('client-unknown');
        const { client_id: _, ...metadata } = withLook(client.value.metadata, form);
        const version = Number(form.get('version'));
        const ruling = await deps.administration.change(client.id, version, metadata as never, asking(visit, form));
        return ruling.ok ? proven(doneAt(`${pageOf(client.id)}/look`, 'client-changed')) : refusedBy(ruling, form);
      },
      fieldOf: () => 'color',
    },
  },
});

/** A colour is typed in many ways; an empty one is none. A new logo takes the place of the one before. */
function withLook({ brand_color: _, brand_logo, ...rest }: ClientMetadata, form: Form): ClientMetadata {
  const typed = (form.get('color') ?? '').trim().toLowerCase().replace(/^#?/, '#');
  const file = form.get('logo');
  const logo = file === undefined ? (form.has('no-logo') ? undefined : brand_logo) : logoUrl(fileBytes(file));
  const color = typed === '#' ? {} : { brand_color: typed };
  return { ...(rest as ClientMetadata), ...color, ...(logo === undefined ? {} : { brand_logo: logo }) };
}
