import { z } from 'zod';
import { CLIENT_KINDS } from '../../core/client/kinds.ts';
import { PROBLEMS, type ProblemName, typeOf } from './problems.ts';

const text = z.string().min(1).max(1_000);
const texts = z.array(text).max(100);
const uri = z.string().min(1).max(2_000).meta({ format: 'uri' });
const uris = z.array(uri).max(100);

/** RFC 6749 A.1, without the space: it stands in addresses and in lists. */
const clientId = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/)
  .describe('1 to 200 visible ASCII characters');

/** A public key (RFC 7517 4, RFC 7518 6). Private parts are unknown here. */
const publicKey = z.strictObject({
  ...{ kty: text, use: text.optional(), key_ops: texts.optional(), alg: text.optional(), kid: text.optional() },
  ...{ crv: text.optional(), x: text.optional(), y: text.optional() },
  ...{ n: z.string().min(1).max(4_000).optional(), e: text.optional() },
  ...{ x5c: z.array(z.string().min(1).max(10_000)).max(10).optional(), x5t: text.optional() },
  'x5t#S256': text.optional(),
});

/** Registration metadata (OpenID Connect Dynamic Client Registration 1.0, 2) as far as this provider has a use for it, and our own. */
const FIELDS = {
  application_type: z.enum(['web', 'native']),
  redirect_uris: uris,
  post_logout_redirect_uris: uris,
  client_name: text,
  'client_name#en': text,
  'client_name#es': text,
  client_uri: uri,
  logo_uri: uri,
  policy_uri: uri,
  tos_uri: uri,
  initiate_login_uri: uri,
  sector_identifier_uri: uri,
  backchannel_logout_uri: uri,
  backchannel_logout_session_required: z.boolean(),
  contacts: texts,
  default_acr_values: texts,
  default_max_age: z.int().min(0),
  require_auth_time: z.boolean(),
  grant_types: texts,
  response_types: texts,
  response_modes: texts,
  scope: text,
  subject_type: z.enum(['public', 'pairwise']),
  token_endpoint_auth_method: text,
  token_endpoint_auth_signing_alg: text,
  id_token_signed_response_alg: text,
  userinfo_signed_response_alg: text,
  request_object_signing_alg: text,
  require_signed_request_object: z.boolean(),
  require_pushed_authorization_requests: z.boolean(),
  dpop_bound_access_tokens: z.boolean(),
  tls_client_certificate_bound_access_tokens: z.boolean(),
  tls_client_auth_subject_dn: text,
  tls_client_auth_san_dns: text,
  tls_client_auth_san_uri: text,
  tls_client_auth_san_ip: text,
  tls_client_auth_san_email: text,
  jwks_uri: uri,
  jwks: z.strictObject({ keys: z.array(publicKey).max(20) }),
  first_party: z.boolean(),
  require_pkce: z.boolean(),
  require_mfa: z.boolean(),
  fapi_profile: z.literal('2.0'),
  introspects_all_tokens: z.boolean(),
  brand_color: z
    .string()
    .regex(/^#[\da-f]{6}$/)
    .describe('of its sign-in pages; it needs a contrast of 4.5 : 1'),
  brand_logo: z
    .string()
    .regex(/^data:image\/(png|jpeg|webp);base64,[\w+/]+={0,2}$/)
    .max(45_000)
    .describe('PNG, JPEG or WebP of at most 32 KiB, 32 to 1,024 pixels each way'),
} as const;

type Fields = typeof FIELDS;

const optional = Object.fromEntries(Object.entries(FIELDS).map(([name, field]) => [name, field.optional()])) as {
  readonly [Name in keyof Fields]: z.ZodOptional<Fields[Name]>;
};
const patched = Object.fromEntries(
  Object.entries(FIELDS).map(([name, field]) => [name, z.union([field, z.null()]).optional()]),
) as { readonly [Name in keyof Fields]: z.ZodOptional<z.ZodUnion<readonly [Fields[Name], z.ZodNull]>> };

const metadata = z.strictObject(optional).describe('OpenID registration metadata');

/** What came in through CLIENTS_FILE or over the protocol may have more in it, and comes back in as it went out. */
const transferred = z
  .looseObject({
    ...optional,
    ...{ client_id: z.never().optional(), client_secret: z.never().optional(), api_scopes: z.never().optional() },
  })
  .describe('OpenID registration metadata; names that are not known here are kept');

/** What a client is after a merge patch. */
export const MergedMetadata = transferred;

const example = {
  client_name: 'Care Messages',
  redirect_uris: ['https://app.example.org/callback'],
  client_uri: 'https://app.example.org/',
};

export const RegisterBody = z
  .strictObject({
    client_id: clientId.optional().describe('otherwise made of the name'),
    kind: z.enum(CLIENT_KINDS).optional().describe('brings safe metadata, which `metadata` overrules'),
    metadata,
  })
  .meta({ examples: [{ kind: 'web', metadata: example }] });

export const ReplaceBody = z.strictObject({ metadata }).meta({ examples: [{ metadata: example }] });

export const PatchBody = z
  .strictObject({
    metadata: z.strictObject(patched).describe('what is to be another; null takes a field away (RFC 7396)'),
  })
  .meta({ examples: [{ metadata: { client_name: 'Care Letters', tos_uri: null } }] });

export const RotateBody = z.strictObject({
  overlap_seconds: z
    .int()
    .min(0)
    .max(90 * 86_400)
    .default(7 * 86_400)
    .describe('how long the secrets before hold'),
});

export const ImportBody = z.strictObject({
  clients: z
    .array(z.strictObject({ client_id: clientId, disabled: z.boolean().default(false), metadata: transferred }))
    .max(1_000),
});

const most = (limit: number) => z.coerce.number().int().min(1).max(limit).default(50).describe('so many at most');
const after = z.string().min(1).max(300).optional().describe('the place to go on from, out of `next`');

export const NoQuery = z.strictObject({});
export const PageQuery = z.strictObject({ limit: most(200), after });
export const ImportQuery = z.strictObject({
  dry_run: z.enum(['true', 'false']).default('false').describe('only tell what would change'),
});

const stored = z.record(z.string(), z.unknown()).describe('OpenID registration metadata');
const time = z.iso.datetime().describe('RFC 3339');
const secret = z.string().describe('shown this once; only its digest is stored');

const client = {
  client_id: z.string(),
  disabled: z.boolean(),
  created_at: time,
  updated_at: time,
  secrets: z
    .array(z.strictObject({ created_at: time, expires_at: time.optional() }))
    .describe('the secrets that open this client, the newest first, without what they are'),
  metadata: stored,
};

export const Client = z.strictObject(client);
export const ClientWithSecret = z.strictObject({ ...client, client_secret: secret.optional() });

const next = z.string().nullable().describe('the address of the next page');
export const ClientPage = z.strictObject({ clients: z.array(Client), next });

const fields = z
  .array(z.strictObject({ name: z.string(), from: z.unknown().optional(), to: z.unknown().optional() }))
  .describe('what is another than before; no `from` where there was none, no `to` where there is none any more');

export const History = z.strictObject({
  changes: z
    .array(
      z.strictObject({
        at: time,
        by: z.string().describe('`client` and its id, `command line`, or the id of an account'),
        action: z.enum(['registered', 'changed', 'disabled', 'enabled', 'deleted', 'secret-rotated', 'secret-ended']),
        reason: z.string().optional(),
        fields,
      }),
    )
    .describe('the newest first'),
  next,
});

export const Export = z.strictObject({
  clients: z.array(z.strictObject({ client_id: z.string(), disabled: z.boolean(), metadata: stored })),
});

export const Imported = z.strictObject({
  written: z.boolean(),
  clients: z.array(
    z.strictObject({
      client_id: z.string(),
      outcome: z.enum(['registered', 'changed', 'unchanged', 'refused']),
      fields,
      faults: z.array(z.string()),
      client_secret: secret.optional(),
    }),
  ),
});

const names = Object.keys(PROBLEMS) as ProblemName[];

/** RFC 9457 3. */
export const Problem = z.strictObject({
  type: z.enum(names.map(typeOf)),
  title: z.string(),
  status: z.int(),
  errors: z
    .array(
      z.strictObject({
        detail: z.string(),
        pointer: z.string().optional().describe('a place in the body (RFC 6901)'),
        parameter: z.string().optional().describe('a parameter of the query'),
        header: z.string().optional(),
      }),
    )
    .optional()
    .describe('all that is wrong'),
  request_id: z.string().describe('the name of this request in our log'),
});
