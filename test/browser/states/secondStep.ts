import { type Factors, withFactors } from '../../../src/core/factors/factors.ts';
import { ACR } from '../../../src/core/journey/assurance.ts';
import { AuthenticatorApp } from '../../support/authenticatorApp.ts';
import { Visitor } from '../../support/relyingParty.ts';
import { setUpApp } from '../../support/secondStep.ts';
import { begin, changeAccount, fill, nextOf, type Place, type States, signIn, typeCode, waiting } from './place.ts';

/** Where an app of the plan asks for a second step, as far as the page after the password. */
const askedForSecond = async (place: Place, { username, password } = nextOf(waiting.named), acr: string = ACR.aal2) => {
  await place.page.goto(`${place.provider.portal}/login?acr_values=${encodeURIComponent(acr)}`);
  await signIn(place, { username, password });
};
const settingUp = (method: string) => async (place: Place) => {
  await askedForSecond(place);
  await place.page.check(`#method-${method}`);
  await place.page.click('#continue');
};
const settingUpPhone = async (place: Place, phone = '(202) 555-0177') => {
  await settingUp('text')(place);
  await fill(place, { phone });
};
const seenSeed = async ({ page }: Place) => new AuthenticatorApp(String(await page.locator('#seed').textContent()));
const newCodes = async (place: Place) => {
  await settingUp('totp')(place);
  await typeCode(place, (await seenSeed(place)).code(Date.now()));
};
/** Somebody who has set up an app, as far as the page that asks for its code. */
const withApp = async (place: Place) => {
  const { provider } = place;
  const member = nextOf(waiting.named);
  const visitor = new Visitor();
  const page = await visitor.go(`${provider.portal}/login?acr_values=${encodeURIComponent(ACR.aal2)}`, provider.issuer);
  const offered = await visitor.submit(page, { username: member.username, password: member.password }, provider.issuer);
  const { app, codes } = await setUpApp(visitor, offered, provider.issuer, () => Date.now());
  await askedForSecond(place, member);
  return { app, codes };
};
const withRecoveryCode = async (place: Place, code = (codes: string[]) => String(codes[0])) => {
  const { codes } = await withApp(place);
  await place.page.click('#other-method');
  await place.page.check('#method-recovery-code');
  await place.page.click('#continue');
  await fill(place, { 'recovery-code': code(codes) });
};
const owning = async (place: Place, factors: Partial<Factors>) => {
  const member = nextOf(waiting.named);
  await changeAccount(place, member.username, (account) => withFactors(account, factors));
  return member;
};
const having = (factors: Partial<Factors>) => async (place: Place) =>
  askedForSecond(place, await owning(place, factors));
/** Where the password would be enough. */
const rememberable = (factors: Partial<Factors>) => async (place: Place) => {
  const member = await owning(place, factors);
  await begin(place);
  await signIn(place, member);
};
const withPhone = having({ phone: { to: '+12025550177', addedAt: 1 } });
export const PASSKEY = { id: 'AAAA', publicKey: 'AAAA', counter: 0, transports: [], backedUp: true, addedAt: 1 };
/** A device that answers with something else. */
const wrongPasskey = ({ page }: Place) =>
  Promise.all([
    page.waitForNavigation(),
    page.evaluate(`((form) => {
      form.elements.passkey.value = '{"id":"AAAA"}';
      form.submit();
    })(document.querySelector('form.passkey'))`),
  ]);

/** On a device that can make a passkey. */
const offered = async (place: Place) => {
  await begin(place);
  await place.page.evaluate("document.querySelector('[name=can_passkey]').value = 'yes'");
  await signIn(place, nextOf(waiting.named));
};

export const SECOND_STEP: States = {
  'mfa/enrolment': (place) => askedForSecond(place),
  'mfa/enrolment: method-missing': async (place) => {
    await askedForSecond(place);
    await place.page.click('#continue');
  },
  'mfa/enrolment, passkey only': (place) => askedForSecond(place, undefined, ACR.phishingResistant),
  'mfa/number': settingUp('text'),
  'mfa/number: phone-wrong': (place) => settingUpPhone(place, '12'),
  'mfa/text-setup': (place) => settingUpPhone(place),
  'mfa/totp-setup': settingUp('totp'),
  'mfa/totp-setup: app-code-wrong': async (place) => {
    await settingUp('totp')(place);
    await typeCode(place, '000000');
  },
  'mfa/codes': newCodes,
  'mfa/codes: codes-not-saved': async (place) => {
    await newCodes(place);
    await place.page.click('#continue');
  },
  'mfa/codes, one': (place) => withRecoveryCode(place),
  'mfa/totp': (place) => withApp(place),
  'mfa/totp: app-code-used': async (place) => {
    const { app } = await withApp(place);
    await typeCode(place, app.code(Date.now() - 30_000));
  },
  'mfa/totp: clock-wrong': async (place) => {
    const { app } = await withApp(place);
    app.ahead = 120;
    await typeCode(place, app.code(Date.now()));
  },
  'mfa/totp, to be remembered': rememberable({ totp: { sealed: 'x', lastStep: 0, drift: 0, addedAt: 1 } }),
  'mfa/passkey, to be remembered': rememberable({ passkeys: [PASSKEY] }),
  'mfa/text': withPhone,
  'mfa/text, sent': async (place) => {
    await withPhone(place);
    await place.page.click('#send-sms');
  },
  'mfa/passkey': having({ passkeys: [PASSKEY] }),
  'mfa/passkey-setup': settingUp('passkey'),
  'mfa/passkey-setup, nothing else': async (place) => {
    await askedForSecond(place, undefined, ACR.phishingResistant);
    await place.page.click('#continue');
  },
  'mfa/passkey-setup: passkey-failed': async (place) => {
    await settingUp('passkey')(place);
    await wrongPasskey(place);
  },
  'mfa/offer': offered,
  'mfa/offer: decision-missing': async (place) => {
    await offered(place);
    await place.page.evaluate("document.getElementById('skip').value = 'maybe'");
    await place.page.click('#skip');
  },
  'mfa/passkey-setup, offered': async (place) => {
    await offered(place);
    await place.page.click('#make-passkey');
  },
  'login/passkey: passkey-unknown': async (place) => {
    await begin(place);
    await wrongPasskey(place);
  },
  'mfa/method': async (place) => {
    await withApp(place);
    await place.page.click('#other-method');
  },
  'mfa/recovery-code: recovery-code-malformed': (place) => withRecoveryCode(place, () => 'abc'),
  'mfa/recovery-code: recovery-code-wrong': (place) => withRecoveryCode(place, () => '1-AAAA-AAAA-AAAA-AAAA'),
};
