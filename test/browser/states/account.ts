import type { Account } from '../../../src/core/account/account.ts';
import type { TrailEvent } from '../../../src/core/audit/trail.ts';
import { type Factors, withFactors } from '../../../src/core/factors/factors.ts';
import { codeFrom, inboxOf } from '../../support/errands.ts';
import { Visitor } from '../../support/relyingParty.ts';
import { at, changeAccount, fill, NAMED, nextOf, type Place, type States, signIn, typeCode, waiting } from './place.ts';
import { PASSKEY } from './secondStep.ts';

type Member = (typeof NAMED)[0];

const isInside = ({ page }: Place) =>
  page.waitForURL(
    ({ pathname }) => /^\/(account|journey|admin|support)\b/.test(pathname) && pathname !== '/account/signed-in',
    {
      // A busy machine takes its time.
      timeout: 30_000,
    },
  );

/** At a page of the account, freshly signed in by the password. */
const inside =
  (path: string, before: (place: Place, member: Member) => Promise<unknown> = async () => {}) =>
  async (place: Place) => {
    const member = nextOf(waiting.named);
    await before(place, member);
    await at(path)(place);
    await signIn(place, member);
    await isInside(place);
    return member;
  };
const having =
  (changed: Partial<Account>) =>
  (place: Place, { username }: Member) =>
    changeAccount(place, username, (account) => ({ ...account, ...changed }));

const now = () => Math.floor(Date.now() / 1_000);
/** Phones of their own, so that no cap on codes is reached; all end alike. */
const phones = [
  203, 205, 206, 207, 208, 209, 212, 213, 214, 215, 216, 217, 218, 219, 301, 302, 303, 304, 305, 307, 308, 309, 310,
  312, 313, 314, 315, 316, 317, 318, 319, 320, 321, 323, 325, 330, 331, 334, 336, 337, 339, 346, 347, 351, 352, 360,
  361, 385, 386, 401, 402,
].map((area) => `+1${area}5550177`);
/** The same after the password and a code by phone, which is one of these second steps. */
export const insideByPhone =
  (path: string, factors: Partial<Factors> = {}, member = () => nextOf(waiting.named)) =>
  async (place: Place) => {
    const [who, to] = [member(), nextOf(phones)];
    const withPhone: Partial<Factors> = { phone: { to, addedAt: now() }, lastUsed: 'text', ...factors };
    await changeAccount(place, who.username, (account) => withFactors(account, withPhone));
    await at(path)(place);
    await signIn(place, who);
    await place.page.click('#send-sms');
    await typeCode(place, await codeFrom(place.provider, to));
    await isInside(place);
  };
const inStrict = (way: (place: Place) => Promise<unknown>) => (place: Place) =>
  way({ ...place, provider: place.strict });

const NAMED_PASSKEY = { ...PASSKEY, addedAt: now(), name: 'Kitchen computer' };
const USED_PASSKEY = { ...PASSKEY, id: 'BBBB', addedAt: now(), usedAt: now() };
const TOTP = { sealed: '', lastStep: 0, drift: 0, addedAt: now() };
const ALL_STEPS: Partial<Factors> = { passkeys: [NAMED_PASSKEY, USED_PASSKEY], totp: TOTP, recoveryCodes: [] };
const ALL_CONTACTS: Partial<Account> = {
  moreContacts: [
    { kind: 'email', to: 'a.second.address.that.is.rather.long@mail.example.com' },
    { kind: 'email', to: 'third@example.com' },
    { kind: 'landline', to: '+12025550161' },
  ],
};

/** On an Android phone, over HTTP, to the portal. */
async function onAnotherDevice({ provider: { portal, issuer } }: Place, { username, password }: Member) {
  const phone = new Visitor({
    'user-agent':
      'Mozilla/5.0 (Linux; Android 13; SM-G981B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/116.0.0.0 Mobile Safari/537.36',
  });
  const back = await phone.submit(await phone.go(`${portal}/login`, issuer), { username, password }, issuer);
  await phone.go(back.url, portal);
}
async function allowsApp({ provider: { portal, issuer } }: Place, { username, password }: Member) {
  const visitor = new Visitor();
  const asked = await visitor.submit(
    await visitor.go(`${portal}/partner/login`, issuer),
    { username, password },
    issuer,
  );
  const back = await visitor.submit(asked, { decision: 'allow' }, issuer);
  await visitor.go(back.url, portal);
}
const HAPPENED = [
  ...['locked', 'late-success', 'second-step-added', 'contact-added', 'data-downloaded', 'recovery-started'],
  ...['app-allowed', 'app-disconnected', 'sessions-ended', 'closing-asked', 'closing-taken-back'],
] as TrailEvent['what'][];
/** So much has happened before, a minute apart. */
const withPast =
  (count: number) =>
  async (place: Place, { username }: Member) => {
    const accountId = await changeAccount(place, username, (account) => account);
    for (let i = 0; i < count; i += 1) {
      const [at, what] = [Date.now() - (i + 1) * 60_000, HAPPENED[i % HAPPENED.length] ?? 'welcome'];
      const app = what.startsWith('app-') ? { app: 'walking-app' } : {};
      const event = { accountId, at, what, agent: i % 2 === 0 ? 'Safari, iPhone' : '', ...app };
      await place.provider.stores.trail.insert(`${accountId}/${9_999_999_999_999 - at}-x`, event);
    }
  };

/** To one of the contacts in the list. */
const contact = (text: string, before?: (place: Place, member: Member) => Promise<unknown>) => async (place: Place) => {
  await inside('/account/contacts', before)(place);
  await place.page.click(`.rows a:text("${text}")`);
  await place.page.waitForURL(/\/contacts\/[\w-]+$/);
};
const change = (name: string, fields: Readonly<Record<string, string>>) => async (place: Place) => {
  await inside(`/account/change/${name}`)(place);
  await fill(place, fields);
};
const newEmail = async (place: Place, before?: (place: Place, member: Member) => Promise<unknown>) => {
  const { username } = await inside('/account/change/email', before)(place);
  const email = `new.${username.replace(/\D/g, '')}@example.com`;
  await fill(place, { email });
  return email;
};
const closing = async (place: Place) => {
  await inside('/account/change/close')(place);
  await place.page.check('#understood');
  await place.page.click('#continue');
};
const closed = async (place: Place) => {
  const { username } = await inside('/account/change/close')(place);
  await place.page.check('#understood');
  await place.page.click('#continue');
  await place.page.fill('#username', username);
  await place.page.click('#close-account');
};
/** By the link in the message about a new password. */
const objecting = async (place: Place) => {
  const { email } = await inside('/account/change/password')(place);
  await fill(place, { 'new-password': 'seven quiet herons at dawn' });
  await place.page.waitForURL(/done=/);
  const message = (await inboxOf(place.provider)).find(({ to, text }) => to === email && text.includes('/not-me/'));
  await at(String(/\/not-me\/[\w-]+/.exec(String(message?.text))?.[0]))(place);
};

/** What a member who is signed in sees and changes about their account. */
/** Somebody who was not asked about their contacts for half a year. */
const reviewing =
  (changed: Partial<Account> = {}) =>
  async (place: Place) => {
    const member = nextOf(waiting.named);
    await changeAccount(place, member.username, (account) => ({ ...account, createdAt: 1, ...changed }));
    await place.page.goto(`${place.provider.portal}/login`);
    await signIn(place, member);
  };

export const ACCOUNT: States = {
  'account/review': reviewing(),
  'account/review, bounced': reviewing({ bounced: '+12025550143', phoneConfirmed: true }),
  'account/review: decision-missing': async (place) => {
    await reviewing()(place);
    await place.page.evaluate("document.getElementById('not-now').value = 'maybe'");
    await place.page.click('#not-now');
  },
  'account/overview': inside('/account'),
  'account/overview, with second steps': insideByPhone('/account', { totp: TOTP }),
  'account/overview, closing': closed,
  'account/overview, kept': async (place) => {
    await closed(place);
    await place.page.click('#keep');
    await place.page.waitForURL(/done=closing-taken-back/);
  },
  'account/not-signed-in': at('/account/signed-in?error=access_denied'),
  'account/profile': inside('/account/profile'),
  'account/profile, saved': async (place) => {
    await inside('/account/profile')(place);
    await place.page.click('#save-language');
    await place.page.waitForURL(/done=/);
  },
  'account/contacts': inside('/account/contacts'),
  'account/contacts, as many as can be': inside('/account/contacts', having(ALL_CONTACTS)),
  'account/contacts, not confirmed': inside('/account/contacts', having({ emailConfirmed: false })),
  'account/contacts, asked at sign-in': async (place) => {
    await inside('/account')(place);
    await at('/account/contacts?from=x')(place);
  },
  'account/contacts, added': async (place) => {
    await typeCode(place, await codeFrom(place.provider, await newEmail(place)));
    await place.page.waitForURL(/done=contact-added/);
  },
  'account/contact': contact('@example.com'),
  'account/contact, another': contact('third', having(ALL_CONTACTS)),
  'account/contact, the only one': contact('@example.com', having({ phone: undefined, phoneConfirmed: false })),
  'account/contact: last-contact': async (place) => {
    await contact('@example.com', having({ phone: undefined, phoneConfirmed: false }))(place);
    await place.page.click('#remove');
  },
  'account/email': inside('/account/change/email'),
  'account/email: email-wrong': change('email', { email: 'nobody' }),
  'code/code, to a new address': (place) => newEmail(place),
  'account/email: too-many-contacts': async (place) => {
    await newEmail(place, having(ALL_CONTACTS));
  },
  'account/phone': inside('/account/change/phone'),
  'account/phone: phone-wrong': change('phone', { phone: '12' }),
  'account/security': inside('/account/security'),
  'account/security, one second step': insideByPhone('/account/security'),
  'account/security, several second steps': insideByPhone('/account/security', ALL_STEPS),
  'account/second-step': insideByPhone('/account/security/totp', ALL_STEPS),
  'account/second-step, the only one': insideByPhone('/account/security/text'),
  'account/second-step: last-second-step': inStrict(async (place) => {
    await insideByPhone('/account/security/text', {}, () => NAMED[NAMED.length - 1] as Member)(place);
    await place.page.click('#remove');
  }),
  'account/passkey': insideByPhone('/account/security/passkey/AAAA', ALL_STEPS),
  'account/passkey: passkey-name-missing': async (place) => {
    await insideByPhone('/account/security/passkey/BBBB', ALL_STEPS)(place);
    await place.page.click('#rename');
  },
  'mfa/new-codes': insideByPhone('/account/change/recovery-codes', ALL_STEPS),
  'account/new-password': inside('/account/change/password'),
  'account/new-password: password-common': change('password', { 'new-password': 'password1234567' }),
  'account/sessions': inside('/account/sessions'),
  'account/sessions, another device': inside('/account/sessions', onAnotherDevice),
  'account/sessions, ended': async (place) => {
    await inside('/account/sessions', onAnotherDevice)(place);
    await place.page.click('#end-others');
    await place.page.waitForURL(/done=/);
  },
  'account/apps': inside('/account/apps'),
  'account/apps, one': inside('/account/apps', allowsApp),
  'account/activity': inside('/account/activity', withPast(HAPPENED.length)),
  'account/activity, older': inside('/account/activity', withPast(30)),
  'account/data': inside('/account/data'),
  'account/closing': inside('/account/change/close'),
  'account/closing: closing-not-understood': async (place) => {
    await inside('/account/change/close')(place);
    await place.page.click('#continue');
  },
  'account/closing-sure': closing,
  'account/closing-sure: username-wrong': async (place) => {
    await closing(place);
    await place.page.fill('#username', 'somebody');
    await place.page.click('#close-account');
  },
  'account/not-me': objecting,
  'account/secured': async (place) => {
    await objecting(place);
    await place.page.click('#not-me');
  },
  'account/nothing-to-object': at('/not-me/none'),
};
