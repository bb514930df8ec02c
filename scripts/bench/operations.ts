import type { Agent } from 'node:http';
import { Caller, demand } from './caller.ts';
import { APP, memberName, SERVICE } from './clients.ts';
import type { Contender } from './contenders.ts';
import { AUTHORIZE, basic, codeOf, signIn } from './signIn.ts';

/** One request, or one after another, that is measured; every answer is checked. */
type Run = () => Promise<void>;

export interface Operation {
  readonly name: string;
  readonly title: string;
  /** Makes ready what one browser or app needs, before anything is measured. */
  prepare(contender: Contender, agent: Agent): Promise<Run>;
}

const anyMember = ({ members }: Contender): string => memberName(Math.floor(Math.random() * members));

const isTrue = (holds: boolean, what: string): void => {
  if (!holds) throw new Error(what);
};

/** The same document every time, and the right one. */
const document =
  (path: string, isRight: (body: string, issuer: string) => boolean): Operation['prepare'] =>
  async ({ issuer }, agent) => {
    const app = new Caller(issuer, agent);
    const first = demand(await app.ask('GET', path), 200).body;
    isTrue(isRight(first, issuer), `${path} says ${first}`);
    return async () => {
      const { body } = demand(await app.ask('GET', path), 200);
      isTrue(body === first, `${path} has changed`);
    };
  };

export const OPERATIONS: readonly Operation[] = [
  {
    name: 'discovery',
    title: 'discovery',
    prepare: document('/.well-known/openid-configuration', (body, issuer) => JSON.parse(body).issuer === issuer),
  },
  { name: 'jwks', title: 'JWKS', prepare: document('/jwks', (body) => JSON.parse(body).keys.length > 0) },
  {
    name: 'client-credentials',
    title: 'client-credentials token',
    async prepare({ issuer }, agent) {
      const app = new Caller(issuer, agent);
      const form = { grant_type: 'client_credentials' };
      return async () => {
        const { body } = demand(await app.ask('POST', '/token', { form, headers: basic(SERVICE) }), 200);
        isTrue(JSON.parse(body).access_token.length > 20, 'a token is missing');
      };
    },
  },
  {
    name: 'introspection',
    title: 'introspection',
    async prepare(contender, agent) {
      const { app, tokens } = await signIn(contender.issuer, agent, anyMember(contender));
      const form = { token: tokens.access_token };
      return async () => {
        const { body } = demand(await app.ask('POST', '/token/introspection', { form, headers: basic(APP) }), 200);
        isTrue(JSON.parse(body).active === true, body);
      };
    },
  },
  {
    name: 'userinfo',
    title: 'userinfo',
    async prepare(contender, agent) {
      const { app, tokens } = await signIn(contender.issuer, agent, anyMember(contender));
      return () => userInfo(app, tokens.access_token);
    },
  },
  {
    name: 'refresh',
    title: 'refresh with rotation',
    async prepare(contender, agent) {
      const { app, tokens } = await signIn(contender.issuer, agent, anyMember(contender));
      let token = tokens.refresh_token;
      return async () => {
        const form = { grant_type: 'refresh_token', refresh_token: token };
        const fresh = JSON.parse(demand(await app.ask('POST', '/token', { form, headers: basic(APP) }), 200).body);
        isTrue(fresh.refresh_token !== token && fresh.access_token && fresh.id_token, 'a token is missing');
        token = fresh.refresh_token;
      };
    },
  },
  {
    name: 'single-sign-on',
    title: 'single sign-on with a live session',
    async prepare(contender, agent) {
      const { browser } = await signIn(contender.issuer, agent, anyMember(contender));
      return async () => {
        codeOf(demand(await browser.ask('GET', AUTHORIZE), 303));
      };
    },
  },
  {
    name: 'sign-in',
    title: 'whole sign-in',
    prepare: async (contender, agent) => async () => {
      const { app, tokens } = await signIn(contender.issuer, agent, anyMember(contender));
      await userInfo(app, tokens.access_token);
    },
  },
];

async function userInfo(app: Caller, token: string): Promise<void> {
  const { body } = demand(await app.ask('GET', '/me', { headers: { authorization: `Bearer ${token}` } }), 200);
  const { sub, name, email } = JSON.parse(body);
  isTrue(sub !== undefined && name === 'Bench Member' && email.endsWith('@example.com'), body);
}
