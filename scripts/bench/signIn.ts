import { createHash } from 'node:crypto';
import type { Agent } from 'node:http';
import { Caller, demand } from './caller.ts';
import { APP, MEMBER_PASSWORD } from './clients.ts';

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

const VERIFIER = 'a-verifier-that-is-as-long-as-one-has-to-be-at-least';
const [CALLBACK = ''] = APP.redirect_uris;

/** Where the app sends a member to sign in. */
export const AUTHORIZE = `/auth?${new URLSearchParams({
  ...{ client_id: APP.client_id, redirect_uri: CALLBACK, response_type: 'code', scope: 'openid profile email' },
  ...{ state: 'a-state-that-comes-back', nonce: 'a-nonce-that-comes-back', code_challenge_method: 'S256' },
  code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
})}`;

export const basic = ({ client_id, client_secret }: { client_id: string; client_secret: string }) => ({
  authorization: `Basic ${Buffer.from([client_id, client_secret].map(encodeURIComponent).join(':')).toString('base64')}`,
});

/** The code of an answer that sends the browser back to the app. */
export function codeOf({ location }: { readonly location: string }): string {
  const url = new URL(location);
  const code = url.searchParams.get('code');
  if (!location.startsWith(CALLBACK) || code === null || url.searchParams.get('state') !== 'a-state-that-comes-back')
    throw new Error(`led to ${location}`);
  return code;
}

/** The form that a member sees first, in a browser that was never here. */
async function openForm(issuer: string, agent: Agent) {
  const browser = new Caller(issuer, agent);
  const { location } = demand(await browser.ask('GET', AUTHORIZE), 303);
  const { body } = demand(await browser.ask('GET', location), 200);
  const action = /<form method="post"[^>]* action="([^"]+)"/.exec(body)?.[1] ?? '';
  const formToken = /name="form_token" value="([^"]+)"/.exec(body)?.[1];
  return { browser, action, formToken };
}

/** Sends the form, and follows until the browser is at the app. Returns the code that it brought. */
async function sendForm(
  { browser, action, formToken }: Awaited<ReturnType<typeof openForm>>,
  username: string,
  issuer: string,
): Promise<string> {
  const form = { username, password: MEMBER_PASSWORD, ...(formToken === undefined ? {} : { form_token: formToken }) };
  let answer = demand(await browser.ask('POST', action, { form, headers: { origin: issuer } }), 303);
  while (!answer.location.startsWith(CALLBACK)) answer = demand(await browser.ask('GET', answer.location), 303);
  return codeOf(answer);
}

async function redeem(app: Caller, code: string): Promise<Tokens> {
  const form = { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, code_verifier: VERIFIER };
  const tokens = JSON.parse(demand(await app.ask('POST', '/token', { form, headers: basic(APP) }), 200).body);
  if (!tokens.access_token || !tokens.refresh_token || !tokens.id_token) throw new Error('a token is missing');
  return tokens;
}

/** Signs in from the authorization request to the code, and redeems it. The browser has a session then. */
export async function signIn(issuer: string, agent: Agent, username: string) {
  const form = await openForm(issuer, agent);
  const app = new Caller(issuer, agent);
  return { browser: form.browser, app, tokens: await redeem(app, await sendForm(form, username, issuer)) };
}
