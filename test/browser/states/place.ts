import type { Page } from 'playwright-core';
import { type Account, findBySignInName } from '../../../src/core/account/account.ts';
import { change } from '../../../src/core/storage/collection.ts';
import { MEMBER, type RunningProvider } from '../../support/provider.ts';

export interface Place {
  readonly page: Page;
  readonly provider: RunningProvider;
  /** Our middleware around routes that fail. */
  readonly broken: string;
  /** A provider that has done nothing yet. */
  readonly empty: RunningProvider;
  /** One that demands two steps at every sign-in. */
  readonly strict: RunningProvider;
}

/** How to get to each state: `view`, or `view: refusal`, or `view, what is special`. */
export type States = Readonly<Record<string, (place: Place) => Promise<unknown>>>;

export const begin = ({ page, provider }: Place) => page.goto(`${provider.portal}/login`);
export const signIn = async ({ page }: Place, { username, password }: typeof MEMBER) => {
  await page.fill('#username', username);
  await page.fill('#password', password);
  await page.click('button#sign-in');
};
export const signedIn = async (place: Place) => {
  await begin(place);
  await signIn(place, MEMBER);
  await place.page.waitForURL(`${place.provider.portal}/`);
};
export const at =
  (path: string) =>
  ({ page, provider }: Place) =>
    page.goto(provider.issuer + path);

export const CARD = { first_name: 'Sample', last_name: 'Member', birth_date: '1951-03-14', postal_code: '97201' };
/** A membership of its own for each visit, so that no cap on messages is reached. */
export const PEOPLE = Array.from({ length: 400 }, (_, i) => ({
  ...{ number: `MHP-500-${1000 + i}`, email: `s.member${i}@example.com`, phone: '+12025550143' },
  ...CARD,
  ends_on: i < 20 ? '2020-12-31' : '',
}));
export const NAMED = Array.from({ length: 180 }, (_, i) => ({
  ...{ ...MEMBER, username: `named.${i}`, email: `named.${i}@example.com`, phone: '+12025550143' },
  ...{ memberNumber: `MHP-600-${i}`, firstName: 'Sample', lastName: 'Member', birthDate: '1951-03-14' },
  postalCode: '97201',
}));

/** Those who answer the phone live elsewhere; the fifth is a relative of the first. */
export const AGENTS = NAMED.slice(0, 5).map((one, i) => ({
  ...{ ...one, username: `agent.${i}`, email: `agent.${i}@example.com`, phone: `+1202555019${i}` },
  ...{
    memberNumber: `MHP-700-${i}`,
    firstName: 'Agent',
    lastName: i === 4 ? 'Nr0' : `Nr${i}`,
    postalCode: i === 4 ? '97330' : `9733${i}`,
  },
}));

export const waiting = {
  ...{ ended: PEOPLE.slice(0, 20), active: PEOPLE.slice(20), named: NAMED.slice() },
};
export const nextOf = <One>(list: One[]): One => {
  const one = list.shift();
  if (one === undefined) throw new Error('there are more states than people');
  return one;
};

export const fill = async ({ page }: Place, fields: Readonly<Record<string, string>>) => {
  for (const [id, value] of Object.entries(fields)) await page.fill(`#${id}`, value);
  await page.click('button.main');
};
export const typeCode = async (place: Place, code: string) => fill(place, { code });
export const journeyId = ({ page }: Place) => String(/journey\/([\w-]+)/.exec(page.url())?.[1]);

/** Changes what is stored of a member. Returns the account's id. */
export async function changeAccount({ provider }: Place, username: string, to: (account: Account) => Account) {
  const { accounts } = provider.stores;
  const id = String((await findBySignInName(accounts, username))?.id);
  await change(accounts, id, to);
  return id;
}
