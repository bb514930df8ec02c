import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { Visitor } from '../../../support/visitor.ts';
import type { Bench } from './plan.ts';

/** One member, two requests in one browser. */
export function sessionModules(at: () => Bench): void {
  test('oidcc-prompt-login', async () => {
    const { app, date } = at();
    const visitor = new Visitor();
    const first = await app.signIn(visitor);
    date.advance(5);
    const second = await app.signIn(visitor, { prompt: 'login' });
    expect(second.shown).toEqual(['password']);
    expect(second.claims.sub).toBe(first.claims.sub);
    expect(second.claims.auth_time).toBe(Number(first.claims.auth_time) + 5);
  });

  test('oidcc-prompt-none-not-logged-in', async () => {
    const { app } = at();
    const asked = app.request({ prompt: 'none', state: randomBytes(64).toString('hex') });
    expect(asked.parameters.state).toHaveLength(128);
    expect(await app.obtainError(new Visitor(), asked)).toBe('login_required');
  });

  test('oidcc-prompt-none-logged-in', async () => {
    const { app, date } = at();
    const visitor = new Visitor();
    const first = await app.signIn(visitor);
    date.advance(5);
    expectSameSignIn(await app.signIn(visitor, { prompt: 'none' }), first);
  });

  test('oidcc-max-age-1', async () => {
    const { app, date } = at();
    const visitor = new Visitor();
    const first = await app.signIn(visitor);
    date.advance(2);
    const second = await app.signIn(visitor, { max_age: '1' });
    expect(second.shown).toEqual(['password']);
    expect(second.claims.sub).toBe(first.claims.sub);
    expect(second.claims.auth_time).toBe(Number(first.claims.auth_time) + 2);
  });

  test('oidcc-max-age-10000', async () => {
    const { app, date } = at();
    const visitor = new Visitor();
    const first = await app.signIn(visitor, { max_age: '15000' });
    date.advance(5);
    expectSameSignIn(await app.signIn(visitor, { max_age: '10000' }), first);
  });

  test('oidcc-id-token-hint', async () => {
    const { app, date } = at();
    const visitor = new Visitor();
    const first = await app.signIn(visitor);
    date.advance(5);
    const hint = { prompt: 'none', id_token_hint: first.tokens.id_token };
    expectSameSignIn(await app.signIn(visitor, hint), first);
  });
}

type SignIn = Awaited<ReturnType<Bench['app']['signIn']>>;

/** The member saw no page, and the new ID token speaks of the old sign-in. */
function expectSameSignIn(second: SignIn, first: SignIn): void {
  const { sub, auth_time } = first.claims;
  expect(auth_time).toEqual(expect.any(Number));
  expect(second.shown).toEqual([]);
  expect(second.claims).toMatchObject({ sub, auth_time, iat: Number(first.claims.iat) + 5 });
}
