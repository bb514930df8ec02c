/**
 * A bare oidc-provider as its documentation shows it, in a process of its own: the ioredis adapter, a sign-in form that takes
 * every name and looks at no password, consent skipped for the plan's own app, ID tokens in RS256. Started by contenders.ts.
 */
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { Redis } from 'ioredis';
import { Provider } from 'oidc-provider';
import { BareAdapter } from './bareAdapter.ts';
import { APP, SERVICE } from './clients.ts';

const { PORT, REDIS_URL = '' } = process.env;
const redis = new Redis(REDIS_URL);
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

const provider = new Provider(`http://localhost:${PORT}`, {
  adapter: (kind) => new BareAdapter(redis, kind),
  clients: [
    { ...APP, response_types: ['code'] },
    { ...SERVICE, response_types: [] },
  ],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'bench' } as never] },
  cookies: { keys: ['a key for signed cookies'] },
  claims: {
    openid: ['sub'],
    profile: ['name', 'given_name', 'family_name', 'preferred_username', 'birthdate', 'locale', 'updated_at'],
    email: ['email', 'email_verified'],
  },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
  },
  findAccount: (_ctx, id) => ({
    accountId: id,
    claims: async () => ({
      ...{ sub: id, name: 'Bench Member', given_name: 'Bench', family_name: 'Member', preferred_username: id },
      ...{ birthdate: '1951-03-14', locale: 'en', updated_at: 1, email: `${id}@example.com`, email_verified: true },
    }),
  }),
  interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
  issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: true,
  async loadExistingGrant({ oidc: { client, session, account, provider: here, requestParamScopes } }) {
    const grantId = session?.grantIdFor(String(client?.clientId));
    if (grantId !== undefined) return here.Grant.find(grantId);
    const grant = new here.Grant({ accountId: String(account?.accountId), clientId: String(client?.clientId) });
    grant.addOIDCScope([...requestParamScopes].join(' '));
    await grant.save();
    return grant;
  },
});

// So that a profile is written.
process.once('SIGINT', () => process.exit(0));

const pages = provider.callback();
createServer(async (req, res) => {
  if (!req.url?.startsWith('/interaction/')) return pages(req, res);
  if (req.method === 'POST') {
    const form = new URLSearchParams(await textOf(req));
    return provider.interactionFinished(req, res, { login: { accountId: String(form.get('username')) } });
  }
  const { uid } = await provider.interactionDetails(req, res);
  res.setHeader('content-type', 'text/html; charset=utf-8');
  res.end(
    `<form method="post" action="/interaction/${uid}"><input name="username"><input name="password" type="password"></form>`,
  );
}).listen(Number(PORT));

async function textOf(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
