import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { type RunningProvider, startProvider } from '../support/provider.ts';
import { codeFrom, inboxOf, registerAs } from '../support/errands.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';

const PERSON = {
  ...{ 'first-name': 'example', 'last-name': 'PERSON', 'postal-code': '97202' },
  ...{ 'birth-month': '7', 'birth-day': '21', 'birth-year': '1964' },
};
const NEW = { username: 'new.member', password: 'four kites above the bay' };

describeOnEveryStore('a member of the plan', (pair) => {
  let provider: RunningProvider;
  let app: RelyingParty;
  beforeAll(async () => {
    provider = await startProvider(pair, { clients: [webClient()] });
    app = await RelyingParty.discover(provider.issuer);
  });
  afterAll(() => provider.close());

  test('registers', async () => {
    const visitor = new Visitor();
    const done = await registerAs(visitor, provider, { person: PERSON, number: 'mhp 100 2003', ...NEW });
    expect([done.status, done.body]).toEqual([200, expect.stringContaining('You can now sign in as new.member')]);
    expect((await signIn(new Visitor(), provider.issuer, await app.start(), NEW)).url).toContain('code=');
    void codeFrom;
    void inboxOf;
  });
});
