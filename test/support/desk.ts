import { findBySignInName } from '../../src/core/account/account.ts';
import { setRoles } from '../../src/core/staff/staff.ts';
import type { AuthenticatorApp } from './authenticatorApp.ts';
import type { RunningProvider } from './provider.ts';
import { setUpApp } from './secondStep.ts';
import { type Answer, hiddenFields, Visitor } from './visitor.ts';

export const AGENT = {
  ...{ username: 'agent.one', password: 'a desk with two chairs', email: 'agent.one@example.com' },
  ...{ phone: '+12025550151', memberNumber: 'MHP-100-2101', firstName: 'Agent', lastName: 'One' },
  ...{ birthDate: '1980-01-02', postalCode: '97230' },
};
export const SECOND_AGENT = {
  ...{ username: 'agent.two', password: 'a chair with two desks', email: 'agent.two@example.com' },
  ...{ phone: '+12025550152', memberNumber: 'MHP-100-2102', firstName: 'Agent', lastName: 'Two' },
  ...{ birthDate: '1981-02-03', postalCode: '97231' },
};

/** What a caller says about themself, as the fields of the form. */
export const saying = (firstName: string, lastName: string, birthDate: string, postalCode: string) => {
  const [year = '', month = '', day = ''] = birthDate.split('-');
  return {
    ...{ 'first-name': firstName, 'last-name': lastName, 'postal-code': postalCode },
    ...{ 'birth-year': year, 'birth-month': month, 'birth-day': day },
  };
};

/** One of the desk's agents, over HTTP. */
export class Agent {
  readonly visitor = new Visitor();
  readonly #provider: RunningProvider;
  readonly #now: () => number;
  app: AuthenticatorApp | undefined;

  constructor(provider: RunningProvider, now: () => number) {
    this.#provider = provider;
    this.#now = now;
  }

  /** Gets the role, signs in and sets up a second step. Returns the desk's front page. */
  async signIn(member: typeof AGENT): Promise<Answer> {
    const { issuer, stores } = this.#provider;
    const account = await findBySignInName(stores.accounts, member.username);
    await setRoles(stores.staff, String(account?.id), ['support'], { by: 'test', at: 1 });
    const { username, password } = member;
    const enrolment = await this.visitor.submit(await this.go('/support'), { username, password }, issuer);
    const { app, next } = await setUpApp(this.visitor, enrolment, issuer, this.#now);
    this.app = app;
    return next;
  }

  go(path: string): Promise<Answer> {
    return this.visitor.go(this.#provider.issuer + path, this.#provider.issuer);
  }

  /** Sends one of the forms of a page, as the desk's pages have them, and follows. */
  async press(page: Answer, action: string, fields: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const answer = await this.visitor.fetch(`${page.url.replace(/\?.*/, '')}/${action}`, {
      method: 'POST',
      body: new URLSearchParams({ ...hiddenFields(page), reason: 'the member called', ...fields }),
    });
    const next = answer.headers.get('location');
    return next === null ? answer : this.visitor.go(new URL(next, answer.url).href, this.#provider.issuer);
  }

  find = async (identifier: string): Promise<Answer> => this.press(await this.go('/support'), 'find', { identifier });

  /** The file of a member whose caller has said this. */
  async open(identifier: string, said: Readonly<Record<string, string>>): Promise<Answer> {
    return this.press(await this.find(identifier), 'check', said);
  }

  /** Signs in anew where the desk asks for it, with the app. */
  async confirm(page: Answer, member: typeof AGENT): Promise<Answer> {
    const { issuer } = this.#provider;
    const second = await this.visitor.submit(page, { username: member.username, password: member.password }, issuer);
    return this.visitor.submit(second, { code: String(this.app?.code(this.#now())) }, issuer);
  }
}
