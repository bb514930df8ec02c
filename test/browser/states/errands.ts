import { codePurpose } from '../../../src/core/codes/purposes.ts';
import { attemptDigest } from '../../../src/parts.ts';
import { codeFrom, inboxOf } from '../../support/errands.ts';
import { MEMBER, SECRETS } from '../../support/provider.ts';
import {
  at,
  fill,
  journeyId,
  type NAMED,
  nextOf,
  PEOPLE,
  type Place,
  type States,
  typeCode,
  waiting,
} from './place.ts';

const PERSON = {
  'first-name': 'Sample',
  'last-name': 'Member',
  'birth-month': '3',
  'birth-day': '14',
  'birth-year': '1951',
  'postal-code': '97201',
};
const person =
  (changed: Readonly<Record<string, string>> = {}, course = 'register') =>
  async (place: Place) => {
    await at(`/${course}`)(place);
    await fill(place, { ...PERSON, ...changed });
  };
const member = (number: (place: Place) => string, course?: string) => async (place: Place) => {
  await person({}, course)(place);
  await fill(place, { 'member-number': number(place) });
};
/** As far as the page for the code; answers where it went. */
const toCode = async (place: Place, list = waiting.active): Promise<string> => {
  const { number, email } = nextOf(list);
  await member(() => number)(place);
  await place.page.check('#way-0');
  await place.page.click('#continue');
  return email;
};
const wrongCode = async (place: Place, code = '000000') => {
  await toCode(place);
  await typeCode(place, code);
};
const throughCode = async (place: Place, list = waiting.active) => {
  const code = await codeFrom(place.provider, await toCode(place, list));
  await typeCode(place, code);
  return code;
};
const contacts =
  (fields: Readonly<Record<string, string>>, terms = true) =>
  async (place: Place) => {
    await throughCode(place);
    if (terms) await place.page.check('#terms');
    await fill(place, fields);
  };
const credentials = (fields: Readonly<Record<string, string>>) => async (place: Place) => {
  await contacts({})(place);
  await fill(place, fields);
};
/** As far as the right code of somebody who has an account. */
const named = (course: string) => async (place: Place) => {
  const { username, email } = nextOf(waiting.named);
  await at(`/${course}`)(place);
  await fill(place, { username });
  await typeCode(place, await codeFrom(place.provider, email));
};
/** As far as the right code of somebody who has shown the details of their membership. */
const toFound = async (place: Place, course: string, { memberNumber, email }: (typeof NAMED)[0]) => {
  await member(() => memberNumber, course)(place);
  await typeCode(place, await codeFrom(place.provider, email));
};
/** By the link in the message. */
const toStop = async (place: Place) => {
  await toFound(place, 'lost-contact', nextOf(waiting.named));
  await place.page.click('#begin-wait');
  const [newest] = (await inboxOf(place.provider)).filter(({ text }) => text.includes('/stop-recovery/'));
  await at(String(/\/stop-recovery\/[\w-]+/.exec(String(newest?.text))?.[0]))(place);
};

export const ERRANDS: States = {
  'registration/person': at('/register'),
  'registration/person: first-name-missing': person({ 'first-name': '' }),
  'registration/person: last-name-missing': person({ 'last-name': '' }),
  'registration/person: birth-date-missing': person({ 'birth-month': '', 'birth-day': '', 'birth-year': '' }),
  'registration/person: birth-date-wrong': person({ 'birth-month': '2', 'birth-day': '30' }),
  'registration/person: postal-code-wrong': person({ 'postal-code': '97' }),
  'registration/too-young: too-young': person({ 'birth-year': '2020' }),
  'registration/member': person(),
  'registration/member: member-number-missing': member(() => ''),
  'registration/unmatched: details-unmatched': member(() => 'MHP-999-0000'),
  'problems/locked: details-locked': async (place) => {
    const number = `MHP-998-${place.page.viewportSize()?.width}${await place.page.evaluate('navigator.language')}`;
    for (let i = 0; i < 11; i += 1) {
      await (i === 0 ? person()(place) : place.page.goto(`${place.provider.issuer}/journey/${journeyId(place)}`));
      await fill(place, { 'member-number': number });
    }
  },
  'registration/contact': (place) => member(() => nextOf(waiting.active).number)(place),
  'registration/contact: way-missing': async (place) => {
    await member(() => nextOf(waiting.active).number)(place);
    await place.page.click('#continue');
  },
  'code/code': toCode,
  'code/code: code-malformed': (place) => wrongCode(place, '12'),
  'code/code: code-wrong': (place) => wrongCode(place),
  'code/code: code-expired': async (place) => {
    const email = await toCode(place);
    const { number = '' } = PEOPLE.find((one) => one.email === email) ?? {};
    const asked = { member: { at: 0, typed: number }, contact: { at: 0, way: { by: 'email', to: email } as const } };
    const purpose = codePurpose(journeyId(place), asked);
    // As it is a day later.
    await place.provider.stores.expiring.remove(`code:${attemptDigest(SECRETS)(`purpose:${purpose}`)}`);
    await typeCode(place, '000000');
  },
  'code/code: code-used': async (place) => {
    const code = await throughCode(place, waiting.ended);
    await place.page.goto(`${place.provider.issuer}/journey/${journeyId(place)}`);
    await typeCode(place, code);
  },
  'problems/locked: code-locked': async (place) => {
    await toCode(place);
    for (let i = 0; i < 6; i += 1) await typeCode(place, '000000');
  },
  'registration/ended: membership-ended': (place) => throughCode(place, waiting.ended),
  'registration/contacts': (place) => throughCode(place),
  'registration/contacts: email-wrong': contacts({ email: 'nobody' }),
  'registration/contacts: phone-wrong': contacts({ phone: '12' }),
  'registration/contacts: contact-missing': contacts({ email: '', phone: '' }),
  'registration/contacts: terms-not-accepted': contacts({}, false),
  'registration/credentials': contacts({}),
  'registration/credentials: username-malformed': credentials({ username: 'josé', 'new-password': 'x' }),
  'registration/credentials: username-taken': credentials({
    ...{ username: MEMBER.username, 'new-password': 'four kites above the bay' },
  }),
  'registration/done': async (place) => {
    const username = `new.${place.page.viewportSize()?.width}.${await place.page.evaluate('navigator.language')}`;
    await credentials({ username, 'new-password': 'four kites above the bay' })(place);
  },
  'recovery/name': at('/forgot-password'),
  'recovery/name: name-missing': async (place) => {
    await at('/unlock')(place);
    await fill(place, { username: '' });
  },
  'code/code, not told': async (place) => {
    await at('/unlock')(place);
    await fill(place, { username: 'nobody.here' });
  },
  'recovery/replacement': named('forgot-password'),
  'recovery/replaced': async (place) => {
    await named('forgot-password')(place);
    await fill(place, { 'new-password': 'four kites above the bay' });
  },
  'recovery/unlocked': named('unlock'),
  'recovery/no-account': async (place) => {
    const { number, email } = nextOf(waiting.active);
    await member(() => number, 'forgot-username')(place);
    await typeCode(place, await codeFrom(place.provider, email));
  },
  'recovery/delay': async (place) => toFound(place, 'lost-contact', nextOf(waiting.named)),
  'recovery/waiting': async (place) => {
    await toFound(place, 'lost-contact', nextOf(waiting.named));
    await place.page.click('#begin-wait');
  },
  'recovery/stop': (place) => toStop(place),
  'recovery/stopped': async (place) => {
    await toStop(place);
    await place.page.click('#stop');
  },
  'recovery/nothing-to-stop': at('/stop-recovery/none'),
  'recovery/username': async (place) => toFound(place, 'forgot-username', nextOf(waiting.named)),
};
