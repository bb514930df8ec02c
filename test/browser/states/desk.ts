import type { Cookie } from 'playwright-core';
import { type Account, findBySignInName } from '../../../src/core/account/account.ts';
import { withFactors } from '../../../src/core/factors/factors.ts';
import { setRoles } from '../../../src/core/staff/staff.ts';
import { saying } from '../../support/desk.ts';
import { codeFrom, inboxOf } from '../../support/errands.ts';
import { MEMBER, type RunningProvider } from '../../support/provider.ts';
import { hiddenFields } from '../../support/visitor.ts';
import { insideByPhone } from './account.ts';
import {
  AGENTS,
  at,
  changeAccount,
  fill,
  type NAMED,
  nextOf,
  type Place,
  type States,
  signIn,
  waiting,
} from './place.ts';

type Member = (typeof NAMED)[0];
const [FIRST, SECOND, BUSY, COLLEAGUE, RELATIVE] = AGENTS as [Member, Member, Member, Member, Member];
const CALLER = saying('Sample', 'Member', '1951-03-14', '97201');

const makeAgent = async ({ stores }: RunningProvider, { username }: Member) =>
  setRoles(stores.staff, String((await findBySignInName(stores.accounts, username))?.id), ['support'], {
    ...{ by: 'test', at: 1_790_000_000 },
  });

/** Each signs in once; the later states take over the session. */
const sessions = new Map<string, Cookie[]>();
const asAgent =
  (path: string, agent: Member = FIRST) =>
  async (place: Place) => {
    const kept = sessions.get(agent.username);
    await makeAgent(place.provider, agent);
    if (kept === undefined) {
      await insideByPhone(path, {}, () => agent)(place);
      sessions.set(agent.username, await place.page.context().cookies());
      return;
    }
    await place.page.context().addCookies(kept);
    await at(path)(place);
  };

const search = async (place: Place, identifier: string) => {
  await place.page.fill('#find-reason', 'the member called');
  await fill(place, { identifier });
};
const searched =
  (identifier: string, agent = FIRST) =>
  async (place: Place) => {
    await asAgent('/support', agent)(place);
    await search(place, identifier);
  };
const say = async (place: Place, fields: Readonly<Record<string, string>> = CALLER) => fill(place, fields);

/** The file of a member whose caller was checked, who has a second step. */
const fileOf =
  (changed: Partial<Account> = {}, agent = FIRST) =>
  async (place: Place) => {
    const member = nextOf(waiting.named);
    await changeAccount(place, member.username, (account) =>
      withFactors({ ...account, ...changed }, { phone: { to: '+12025550161', addedAt: 1 } }),
    );
    await searched(member.username, agent)(place);
    await say(place);
    await place.page.waitForSelector('#facts');
    return member;
  };
const open = ({ page }: Place, act: string) => page.click(`#act-${act} summary`);
/** Opens a form of the file, fills it in and sends it. */
const act = async (place: Place, what: string, choose: readonly string[] = []) => {
  const { page } = place;
  const form = page.locator(`#act-${what}`);
  if ((await form.getAttribute('open')) === null) await open(place, what);
  for (const box of choose) await page.check(`#${box}`);
  const sure = page.locator(`#${what}-sure`);
  if ((await sure.count()) > 0) await sure.check();
  await page.click(`#do-${what}`);
};
/** Sends a form of the file to another of its actions, as no page of ours does. */
const actThrough = async (place: Place, shown: string, what: string) => {
  await open(place, shown);
  await place.page.evaluate(`document.getElementById('do-${shown}').form.action += '/../${what}'`);
  await place.page.click(`#do-${shown}`);
};
/** The same form again and again, without a window. */
const sendMany = async ({ page }: Place, path: string, times: number, fields: Readonly<Record<string, string>>) => {
  const form = { ...hiddenFields({ body: await page.content() } as never), reason: 'the member called', ...fields };
  const headers = { origin: new URL(page.url()).origin };
  for (let i = 0; i < times; i += 1) await page.request.post(page.url() + path, { form, headers });
};
const linkFor = async ({ provider }: Place, to: string) => {
  const message = (await inboxOf(provider)).find((one) => one.to === to && one.text.includes('/invitation/'));
  return String(/https?:\/\/\S+\/invitation\/[\w-]+/.exec(message?.text ?? '')?.[0]);
};
/** The member's own browser, at the link that the agent has sent. */
const invited = (kind: 'password' | 'second-step') => async (place: Place) => {
  const { email } = await fileOf()(place);
  await act(place, kind, [`${kind}-way-0`]);
  await place.page.context().clearCookies();
  const link = await linkFor(place, email);
  await place.page.goto(link);
  return link;
};
const atOwnPassword = async (place: Place) => {
  await invited('second-step')(place);
  await place.page.click('#continue');
};
const withoutContacts = { emailConfirmed: false, phoneConfirmed: false };
/** At the page for a new address, by the code of a letter. */
const byLetter = async (place: Place) => {
  const { memberNumber } = await fileOf(withoutContacts)(place);
  await act(place, 'letter');
  await place.page.context().clearCookies();
  const letter = (await inboxOf(place.provider)).find(({ to }) => to === memberNumber);
  await at('/letter')(place);
  await say(place);
  await fill(place, { 'member-number': memberNumber });
  await fill(place, { code: String(/\b\d{6}\b/.exec(letter?.text ?? '')?.[0]) });
};
/** A removal that the first agent has asked for, seen by `agent`, and nothing else that waits. */
const removalFor = (agent: Member) => async (place: Place) => {
  const { stores } = place.provider;
  await stores.expiring.remove(`removals:${Math.floor(Date.now() / 86_400_000)}`);
  await fileOf()(place);
  await act(place, 'removal');
  await place.page.context().clearCookies();
  await asAgent('/support', agent)(place);
  await place.page.click('#waiting a');
};
const approve = async ({ page }: Place) => {
  await page.fill('#approve-reason', 'called back');
  await page.check('#approve-sure');
  await page.click('#approve');
};

export const DESK: States = {
  'support/search': async (place) => {
    await removalFor(SECOND)(place);
    await at('/support')(place);
  },
  'support/search: identifier-missing': searched(''),
  'support/search: member-unknown': searched('nobody.at.all'),
  'support/search: own-account': searched(FIRST.username),
  'support/search: relative': searched(RELATIVE.username),
  'support/search: staff-account': async (place) => {
    await makeAgent(place.provider, COLLEAGUE);
    await searched(COLLEAGUE.username)(place);
  },
  'support/search: too-many-searches': async (place) => {
    await asAgent('/support', BUSY)(place);
    await sendMany(place, '/find', 120, { identifier: 'nobody.at.all' });
    await search(place, 'nobody.at.all');
  },
  'support/file, a caller': async (place) => searched(nextOf(waiting.named).username)(place),
  'support/file: caller-wrong': async (place) => {
    await searched(nextOf(waiting.named).username)(place);
    await say(place, { ...CALLER, 'first-name': 'Simple' });
  },
  'support/file: caller-locked': async (place) => {
    await searched(nextOf(waiting.named).username)(place);
    await sendMany(place, '/check', 5, { ...CALLER, 'first-name': 'Simple' });
    await say(place);
  },
  'support/file: caller-not-checked': async (place) => {
    await searched(nextOf(waiting.named).username)(place);
    await place.page.evaluate(`{
      const { form } = document.getElementById('check');
      form.action += '/../unlock';
      form.insertAdjacentHTML('beforeend', '<input name="reason" value="a test" aria-label="why">');
    }`);
    await say(place);
  },
  'support/file': fileOf(),
  'support/file, paused': fileOf({ frozenAt: 1 }),
  'support/file, with all that may be under way': fileOf({
    ...{ resetDemanded: true, closesAt: Math.floor(Date.now() / 1_000) + 86_400, ...withoutContacts },
  }),
  'support/file, no account': async (place) => {
    await searched(nextOf(waiting.active).number)(place);
    await say(place);
    await place.page.waitForSelector('#no-account');
  },
  'support/file, ended': async (place) => {
    await searched(nextOf(waiting.ended).number)(place);
    await say(place);
  },
  'support/file, unlocked': async (place) => {
    await fileOf()(place);
    await act(place, 'unlock');
  },
  'support/file, what a link says': async (place) => {
    await fileOf()(place);
    await open(place, 'second-step');
  },
  'support/file: way-missing': async (place) => {
    await fileOf()(place);
    await act(place, 'password');
  },
  'support/file: no-contact': async (place) => {
    await fileOf(withoutContacts)(place);
    await actThrough(place, 'unlock', 'password');
  },
  'support/file: no-account': async (place) => {
    await searched(nextOf(waiting.active).number)(place);
    await say(place);
    await actThrough(place, 'letter', 'unlock');
  },
  'support/file: nothing-to-remove': async (place) => {
    const { username } = await fileOf()(place);
    await changeAccount(place, username, ({ factors: _, ...account }) => account);
    await act(place, 'second-step', ['second-step-way-0']);
  },
  'support/file: removal-asked': async (place) => {
    await fileOf()(place);
    await act(place, 'removal');
    await act(place, 'removal');
  },
  'support/file: membership-holds': async (place) => {
    await fileOf()(place);
    await actThrough(place, 'unlock', 'let-in');
  },
  'support/file: account-frozen': async (place) => {
    await fileOf({ frozenAt: 1 })(place);
    await actThrough(place, 'unlock', 'password');
  },
  'support/file: too-many-messages': async (place) => {
    await fileOf()(place);
    await sendMany(place, '/letter', 8, {});
    await act(place, 'letter');
  },
  'support/removal': removalFor(SECOND),
  'support/removal, of oneself': removalFor(FIRST),
  'support/removal: own-request': async (place) => {
    await removalFor(FIRST)(place);
    await place.page.fill('#decline-reason', 'called back');
    await place.page.evaluate(`{
      const { form } = document.getElementById('decline');
      form.action += '/../approve';
      form.insertAdjacentHTML('beforeend', '<input type="hidden" name="sure" value="yes">');
    }`);
    await place.page.click('#decline');
  },
  'problems/refused: removal-gone': async (place) => {
    await removalFor(SECOND)(place);
    const removal = String(/removal\/([\w-]+)/.exec(place.page.url())?.[1]);
    await place.provider.stores.expiring.spend(`removal:${removal}`, 1);
    await approve(place);
  },
  'errand/invitation': invited('password'),
  'errand/invitation, second step': invited('second-step'),
  'errand/no-invitation': at('/invitation/gone'),
  'login/own-password': atOwnPassword,
  'login/own-password: password-wrong': async (place) => {
    await atOwnPassword(place);
    await fill(place, { password: 'not this one' });
  },
  'recovery/second-step': async (place) => {
    await atOwnPassword(place);
    await fill(place, { password: MEMBER.password });
    await place.page.check('#method-text');
    await place.page.click('button.main');
    await fill(place, { phone: '+15035550188' });
    await fill(place, { code: await codeFrom(place.provider, '+15035550188') });
    await place.page.check('#saved');
    await place.page.click('button.main');
  },
  'recovery/address': byLetter,
  'recovery/address: address-wrong': async (place) => {
    await byLetter(place);
    await fill(place, { address: 'nothing' });
  },
  'recovery/reachable': async (place) => {
    await byLetter(place);
    await fill(place, { address: 'reached.again@example.com' });
    await fill(place, { code: await codeFrom(place.provider, 'reached.again@example.com') });
  },
  'login/account-frozen: account-frozen': async (place) => {
    const member = nextOf(waiting.named);
    await changeAccount(place, member.username, (account) => ({ ...account, frozenAt: 1 }));
    await at('/account')(place);
    await signIn(place, member);
  },
  'login/membership-over: membership-over': async (place) => {
    const member = nextOf(waiting.named);
    await changeAccount(place, member.username, (account) => ({
      ...{ ...account, memberNumber: nextOf(waiting.ended).number },
    }));
    await at('/account')(place);
    await signIn(place, member);
  },
};
