import { type LookChange, logoUrl, withLook } from '../../core/client/brand.ts';
import { describeApp } from '../../core/client/client.ts';
import { type Form, fileBytes } from '../../http/form.ts';
import type { StaffPage } from '../../http/staffDoor.ts';
import { type ClientsDependencies, faultsIn, found, pageOf, saving, versionOn } from './clients.ts';

/** How the sign-in pages of one app look, and the messages that are written on the way to it. */
export const lookPage = (deps: ClientsDependencies): StaffPage => ({
  path: '/clients/app/:id/look',
  view: 'admin/look',
  may: 'clients.change',
  fresh: true,
  async show(_, ctx, typed) {
    const client = await found(deps, ctx.params.id);
    if (client === undefined) return undefined;
    const { metadata } = client.value;
    return {
      // This page looks as those will that it is about.
      ...{ app: describeApp(metadata, deps.issuer, ctx.state.locale), id: client.id, path: pageOf(client.id) },
      color: typed?.get('color') ?? metadata.brand_color ?? '',
      hasLogo: metadata.brand_logo !== undefined,
      ...{ version: versionOn(client, typed), faults: faultsIn(typed) },
    };
  },
  actions: {
    save: {
      ...({ fresh: true, upload: true } as const),
      run: saving(deps, (before, form) => withLook(before, lookIn(form)), '/look'),
      fieldOf: () => 'color',
    },
  },
});

/** A colour is typed in many ways; an empty one is none. A new logo takes the place of the one before. */
function lookIn(form: Form): LookChange {
  const color = (form.get('color') ?? '').trim().toLowerCase().replace(/^#?/, '#');
  const file = form.get('logo');
  const kept = form.has('no-logo') ? null : undefined;
  return { color: color === '#' ? null : color, logo: file === undefined ? kept : logoUrl(fileBytes(file)) };
}
