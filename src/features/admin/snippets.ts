import type { ClientMetadata } from '../../core/client/client.ts';

export interface Snippet {
  /** The library, under its own name. */
  readonly library: string;
  readonly lines: string;
}

/** What an app's developer pastes to sign members in, for common libraries. The secret's place is marked, not filled. */
export function snippetsFor(issuer: string, metadata: ClientMetadata): Snippet[] {
  const { client_id: id, redirect_uris: uris, token_endpoint_auth_method: method = 'client_secret_basic' } = metadata;
  const [redirect = 'https://app.example.org/callback'] = uris;
  const isPublic = method === 'none';
  const secret = isPublic ? '' : 'process.env.CLIENT_SECRET';
  if (uris.length === 0)
    return [
      {
        library: 'curl',
        lines: `curl --user "${id}:$CLIENT_SECRET" --data grant_type=client_credentials ${issuer}/token`,
      },
    ];
  return [
    {
      library: 'openid-client (Node.js)',
      lines: [
        "import * as client from 'openid-client';",
        `const config = await client.discovery(new URL('${issuer}'), '${id}'${isPublic ? '' : `, ${secret}`});`,
        'const verifier = client.randomPKCECodeVerifier();',
        'const url = client.buildAuthorizationUrl(config, {',
        `  redirect_uri: '${redirect}',`,
        "  scope: 'openid profile',",
        '  code_challenge: await client.calculatePKCECodeChallenge(verifier),',
        "  code_challenge_method: 'S256',",
        '});',
      ].join('\n'),
    },
    {
      library: 'Spring Security (Java)',
      lines: [
        'spring.security.oauth2.client:',
        '  provider:',
        `    plan.issuer-uri: ${issuer}`,
        '  registration:',
        '    plan:',
        `      client-id: ${id}`,
        ...(isPublic ? ['      client-authentication-method: none'] : [`      client-secret: \${CLIENT_SECRET}`]),
        '      authorization-grant-type: authorization_code',
        `      redirect-uri: ${redirect}`,
        '      scope: openid, profile',
      ].join('\n'),
    },
    {
      library: 'Authlib (Python)',
      lines: [
        "oauth.register('plan',",
        `    server_metadata_url='${issuer}/.well-known/openid-configuration',`,
        `    client_id='${id}',`,
        ...(isPublic ? [] : ["    client_secret=os.environ['CLIENT_SECRET'],"]),
        "    client_kwargs={'scope': 'openid profile', 'code_challenge_method': 'S256'})",
      ].join('\n'),
    },
  ];
}
