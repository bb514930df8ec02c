import { codeFrom } from '../../support/errands.ts';
import { MEMBER, RENEWING } from '../../support/provider.ts';
import { RelyingParty, TELEVISION, VIOLET } from '../../support/relyingParty.ts';
import {
  at,
  begin,
  changeAccount,
  fill,
  nextOf,
  type Place,
  type States,
  signedIn,
  signIn,
  typeCode,
  waiting,
} from './place.ts';

const consent = async (place: Place) => {
  await signedIn(place);
  await place.page.goto(`${place.provider.portal}/partner/login`);
};
const renewal = (password?: string) => async (place: Place) => {
  await begin(place);
  await signIn(place, RENEWING);
  if (password === undefined) return;
  await place.page.fill('#new-password', password);
  await place.page.click('#save-password');
};
const authorize = (query: string) => at(`/auth?client_id=member-portal&response_type=code&scope=openid&${query}`);

/** A television asks for a code. */
const newDeviceCode = async ({ provider }: Place): Promise<string> => {
  const body = new URLSearchParams({ client_id: TELEVISION.client_id, scope: 'openid profile' });
  const answer = await fetch(`${provider.issuer}/device/auth`, { method: 'POST', body });
  return ((await answer.json()) as { user_code: string }).user_code;
};
const deviceCode = (codeOf: (place: Place) => Promise<string>) => async (place: Place) => {
  const code = await codeOf(place);
  await at('/device')(place);
  await place.page.fill('#user-code', code);
  await place.page.click('#continue');
};

/** Signs in as somebody who agreed to terms of before. */
const agreeing = async (place: Place) => {
  const { username, password } = nextOf(waiting.named);
  const agreed = { terms: '2020-01', privacy: '2020-01' };
  await changeAccount(place, username, (account) => ({ ...account, agreed }));
  await begin(place);
  await signIn(place, { username, password });
};

export const SIGN_IN: States = {
  'login/password': begin,
  'login/password, in the look of its app': async (place) =>
    place.page.goto((await (await RelyingParty.discover(place.provider.issuer, VIOLET)).start()).url),
  'login/password: username-missing': async (place) => {
    await begin(place);
    await signIn(place, { username: '', password: 'x' });
  },
  'login/password: password-missing': async (place) => {
    await begin(place);
    await signIn(place, { username: 'x', password: '' });
  },
  'login/password: credentials-rejected': async (place) => {
    await begin(place);
    await signIn(place, { ...MEMBER, password: 'wrong' });
  },
  'login/renewal': renewal(),
  'login/renewal: new-password-missing': renewal(''),
  'login/renewal: password-too-short': renewal('too short a one'.slice(1)),
  'login/renewal: password-too-long': renewal('long '.repeat(60)),
  'login/renewal: password-common': renewal('password1234567'),
  'login/renewal: password-personal': renewal('Meadowlark Health Plan'),
  'login/renewal: password-pattern': renewal('abcdefghijklmnop'),
  'login/renewal: password-reused': renewal(RENEWING.password),
  'login/reset-demanded: reset-demanded': async (place) => {
    const member = nextOf(waiting.named);
    await changeAccount(place, member.username, (account) => ({ ...account, resetDemanded: true }));
    await begin(place);
    await signIn(place, member);
  },
  'problems/locked: reset-waits': async (place) => {
    const member = nextOf(waiting.named);
    const resetFrom = Math.floor(Date.now() / 1_000) + 86_400;
    await changeAccount(place, member.username, (account) => ({ ...account, resetDemanded: true, resetFrom }));
    await at('/forgot-password')(place);
    await fill(place, { username: member.username });
    await typeCode(place, await codeFrom(place.provider, member.email));
  },
  'login/agreement': (place) => agreeing(place),
  'login/agreement: terms-not-accepted': async (place) => {
    await agreeing(place);
    await place.page.click('#agree');
  },
  'login/account': async (place) => {
    await signedIn(place);
    const callback = encodeURIComponent(`${place.provider.portal}/callback`);
    const pkce = `code_challenge=${'x'.repeat(43)}&code_challenge_method=S256`;
    await authorize(`redirect_uri=${callback}&${pkce}&prompt=select_account`)(place);
  },
  'consent/consent': consent,
  'consent/consent: decision-missing': async (place) => {
    await consent(place);
    await place.page.evaluate("document.getElementById('allow').value = 'maybe'");
    await place.page.click('#allow');
  },
  'device/code': at('/device'),
  'device/code: device-code-missing': deviceCode(async () => ''),
  'device/code: device-code-unknown': deviceCode(async () => 'BCDF-GHJK'),
  'device/code: device-code-used': deviceCode(async (place) => {
    const code = await newDeviceCode(place);
    await deviceCode(async () => code)(place);
    await place.page.click('#abort');
    return code;
  }),
  'device/confirm': deviceCode(newDeviceCode),
  'device/stopped': async (place) => {
    await deviceCode(newDeviceCode)(place);
    await place.page.click('#abort');
  },
  'device/done': async (place) => {
    await deviceCode(newDeviceCode)(place);
    await place.page.click('#confirm');
    await signIn(place, MEMBER);
    await place.page.click('#allow');
  },
  'signout/confirm': async (place) => {
    await signedIn(place);
    await at('/session/end')(place);
  },
  'signout/leaving': async (place) => {
    await signedIn(place);
    // Kept from sending itself, to be looked at.
    await place.page.route('**/page.js', (route) => route.fulfill({ body: '', contentType: 'text/javascript' }));
    await place.page.click('#sign-out');
  },
  'signout/done': async (place) => {
    await signedIn(place);
    await at('/session/end')(place);
    await place.page.click('button#sign-out');
  },
};
