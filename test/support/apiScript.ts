import * as openid from 'openid-client';
import type { RunningProvider } from './provider.ts';
import { RelyingParty, webClient } from './relyingParty.ts';

/** A client that acts for itself at the administration API. */
export const scriptClient = (client_id: string, overrides: object = {}) =>
  webClient({
    ...{ client_id, client_name: `Script ${client_id}`, redirect_uris: [], post_logout_redirect_uris: [] },
    ...{ response_types: [], grant_types: ['client_credentials'], scope: 'clients:read clients:write' },
    ...overrides,
  });

export interface Reply {
  readonly status: number;
  readonly type: string | null;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A script that administers clients: it has got its token by the client credentials grant. */
export async function apiScript(provider: RunningProvider, id: string, parameters: Record<string, string> = {}) {
  const { issuer } = provider;
  const { config } = await RelyingParty.discover(issuer, scriptClient(id));
  const asked = { resource: `${issuer}/api/v1`, scope: 'clients:read clients:write', ...parameters };
  const { access_token } = await openid.clientCredentialsGrant(config, asked);

  const follow = async (url: string, init: RequestInit = {}): Promise<Reply> => {
    const answer = await fetch(url, { ...init, headers: { authorization: `Bearer ${access_token}`, ...init.headers } });
    const text = await answer.text();
    const { status, headers } = answer;
    return { status, headers, type: headers.get('content-type'), body: text === '' ? {} : JSON.parse(text) };
  };
  const send = (method: string, path: string, headers: Record<string, string>, body?: string): Promise<Reply> =>
    follow(`${issuer}/api/v1${path}`, { method, headers: inUtf8(headers), ...(body === undefined ? {} : { body }) });
  const json =
    (type: string) =>
    (method: string, path: string, body?: object, headers: Record<string, string> = {}) =>
      body === undefined
        ? send(method, path, headers)
        : send(method, path, { 'content-type': type, ...headers }, JSON.stringify(body));
  return {
    token: access_token,
    ...{ follow, send, ask: json('application/json') },
    patch: (path: string, body: object, headers: Record<string, string>) =>
      json('application/merge-patch+json')('PATCH', path, body, headers),
  };
}

/** Headers as curl sends them: in UTF-8, which fetch takes as one character for each byte. */
const inUtf8 = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Buffer.from(value).toString('latin1')]));
