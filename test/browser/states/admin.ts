import { findBySignInName } from '../../../src/core/account/account.ts';
import type { Role } from '../../../src/core/staff/roles.ts';
import { setRoles } from '../../../src/core/staff/staff.ts';
import { VIOLET } from '../../support/relyingParty.ts';
import { insideByPhone } from './account.ts';
import { fill, nextOf, type Place, type States, waiting } from './place.ts';

/** At a page of the console, as one of the staff, by the password and a code by phone. */
const staffAt =
  (path: string, roles: readonly Role[] = ['administrator']) =>
  async (place: Place) => {
    const { accounts, staff } = place.provider.stores;
    const member = nextOf(waiting.named);
    const id = String((await findBySignInName(accounts, member.username))?.id);
    await setRoles(staff, id, roles, { by: 'test', at: 1_790_000_000 });
    await insideByPhone(path, {}, () => member)(place);
    return member;
  };
/** Whoever is staff already makes the list longer at each visit. */
const alone = async (place: Place) => {
  const { staff } = place.provider.stores;
  const stored = await staff.find('staff');
  if (stored !== undefined) await staff.replace('staff', stored.version, { members: [] });
};
const WEB = {
  ...{ name: 'Care Plans', 'redirect-uris': 'https://plans.example/callback' },
  ...{ 'client-uri': 'https://plans.example/', 'client-id': 'care-plans' },
};
/** What comes before it may have left the app there. */
const withoutPlans = async ({ provider }: Place) => {
  const stored = await provider.stores.clients.find('care-plans');
  if (stored !== undefined) await provider.stores.clients.remove('care-plans', stored.version);
};
const registering =
  (kind: string | undefined, fields: Readonly<Record<string, string>> = {}) =>
  async (place: Place) => {
    await withoutPlans(place);
    await staffAt('/admin/clients/new')(place);
    if (kind !== undefined) await place.page.check(`#kind-${kind}`);
    await saying(place, 'register');
    await fill(place, { ...WEB, ...fields });
  };
const APP = '/admin/clients/app/walking-app';
/** Says why, in one of the forms of a page, and that it is known what follows. */
const saying = async ({ page }: Place, form: string, reason = 'a test') => {
  await page.fill(`#${form}-reason`, reason);
  const sure = page.locator(`#${form}-sure`);
  if ((await sure.count()) > 0) await sure.check();
};
/** Sends a form of the app's page to another of its actions, as no page of ours does. */
const sendTo = async (place: Place, action: string) => {
  const { page } = place;
  await saying(place, 'switch');
  await page.evaluate(`document.getElementById('switch').form.action += '/../${action}'`);
  await page.click('#switch');
};

export const ADMIN: States = {
  'admin/overview': staffAt('/admin', ['administrator', 'support', 'auditor']),
  'admin/forbidden': staffAt('/admin/clients', ['support']),
  'admin/clients': async (place) => {
    await withoutPlans(place);
    await staffAt('/admin/clients', ['auditor'])(place);
  },
  'admin/client': staffAt(APP),
  'admin/client-new': staffAt('/admin/clients/new'),
  'admin/client-new: client-kind-missing': registering(undefined),
  'admin/client-new: client-id-malformed': registering('web', { 'client-id': 'a b' }),
  'admin/client-new: client-exists': registering('web', { 'client-id': 'walking-app' }),
  'admin/client-new: client-refused': registering('native', {
    'redirect-uris': 'http://plans.example/*',
    'client-uri': '',
  }),
  'admin/client-ready': registering('web'),
  'admin/client-edit': staffAt(`${APP}/edit`),
  'admin/client-edit: client-moved-on': async (place) => {
    await staffAt(`${APP}/edit`)(place);
    await place.page.evaluate("document.querySelector('[name=version]').value = '0'");
    await saying(place, 'save');
    await place.page.click('#save');
  },
  'admin/look': staffAt(`/admin/clients/app/${VIOLET.client_id}/look`),
  'admin/look: client-refused': async (place) => {
    await staffAt(`${APP}/look`)(place);
    const drawing = { name: 'logo.svg', mimeType: 'image/svg+xml', buffer: Buffer.from('<svg/>') };
    await place.page.fill('#color', '#4fc3b2');
    await place.page.setInputFiles('#logo', drawing);
    await saying(place, 'save');
    await place.page.click('#save');
  },
  'problems/refused: client-unknown': async (place) => {
    await registering('web')(place);
    await place.page.goto(`${place.provider.issuer}/admin/clients/app/care-plans/edit`);
    await withoutPlans(place);
    await saying(place, 'save');
    await place.page.click('#save');
  },
  'admin/client: client-id-wrong': async (place) => {
    await staffAt(APP)(place);
    await place.page.fill('#confirm-id', 'something else');
    await saying(place, 'delete');
    await place.page.click('#delete');
  },
  'admin/client: reason-missing': async (place) => {
    await staffAt(APP)(place);
    await place.page.click('#switch');
  },
  'admin/client-new: sent-before': async (place) => {
    await registering('web')(place);
    // The page behind the form has to be there before one goes back from it.
    await place.page.waitForSelector('#client-secret');
    await place.page.waitForLoadState('load');
    await place.page.goBack();
    await fill(place, {});
  },
  'admin/client: client-has-no-secret': async (place) => {
    await staffAt('/admin/clients/app/television')(place);
    await sendTo(place, 'rotate-secret');
  },
  'admin/test-sign-in': async (place) => {
    await staffAt('/admin/clients/app/member-portal')(place);
    await place.page.click('#test-sign-in');
  },
  'admin/staff': async (place) => {
    await alone(place);
    await staffAt('/admin/staff')(place);
  },
  'admin/staff: staff-unknown': async (place) => {
    await alone(place);
    await staffAt('/admin/staff')(place);
    await place.page.fill('#username', 'nobody');
    await saying(place, 'set');
    await place.page.click('#set-roles');
  },
  'admin/staff: last-administrator': async (place) => {
    await alone(place);
    const { username } = await staffAt('/admin/staff')(place);
    await place.page.fill('#username', username);
    await saying(place, 'set');
    await place.page.click('#set-roles');
  },
  'admin/audit': async (place) => {
    const { username } = await staffAt('/admin/audit', ['auditor'])(place);
    await place.page.fill('#actor', username);
    await place.page.selectOption('#action', 'step.password');
    await place.page.click('#show');
  },
  'admin/audit, nothing': staffAt('/admin/audit?actor=nobody', ['auditor']),
  'admin/keys': staffAt('/admin/keys'),
  'admin/keys: not-sure': async (place) => {
    await staffAt('/admin/keys')(place);
    await place.page.fill('#withdraw-reason', 'a test');
    await place.page.click('#withdraw');
  },
  'admin/keys: schedule-malformed': async (place) => {
    await staffAt('/admin/keys')(place);
    await place.page.fill('#days', 'often');
    await saying(place, 'schedule');
    await place.page.click('#reschedule');
  },
};
