import { z } from 'zod';
import type { Operation } from './operation.ts';
import { OPERATIONS } from './operations.ts';
import { PROBLEMS, type ProblemName } from './problems.ts';
import * as schemas from './schemas.ts';

const NAMED = {
  ...{ Client: schemas.Client, ClientWithSecret: schemas.ClientWithSecret, ClientPage: schemas.ClientPage },
  ...{ RegisterBody: schemas.RegisterBody, ReplaceBody: schemas.ReplaceBody, PatchBody: schemas.PatchBody },
  ...{ RotateBody: schemas.RotateBody, ImportBody: schemas.ImportBody, Imported: schemas.Imported },
  ...{ History: schemas.History, Export: schemas.Export, Problem: schemas.Problem },
} as const;

/** The API in OpenAPI 3.1.1, whose schemas are JSON Schema 2020-12. Its addresses are relative, so that it is the same everywhere. */
export function openApiDocument() {
  const paths: Record<string, Record<string, object>> = {};
  for (const one of OPERATIONS) {
    paths[one.path] = { ...paths[one.path], [one.method.toLowerCase()]: described(one) };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Administration of clients',
      version: '1',
      description: [
        'The apps that members sign in to (relying parties): the same as the console and `scripts/clients` do.',
        'A client gets a token by the client credentials grant with `resource` set to the address of this API, where its registration',
        'lists the scopes. Whoever holds `clients:write` can do what an administrator can do with clients.',
        `Problems (RFC 9457), by the end of their \`type\`: ${problemList()}.`,
      ].join('\n'),
    },
    servers: [{ url: '/api/v1' }],
    security: [{ token: [] }],
    paths,
    components: {
      schemas: Object.fromEntries(
        Object.entries(NAMED).map(([name, schema]) => [name, jsonSchema(schema, ioOf(name))]),
      ),
      securitySchemes: { token: securityScheme() },
    },
  };
}

const problemList = (): string =>
  Object.entries(PROBLEMS)
    .map(([name, { status, title }]) => `\`${name}\` (${status}, ${title.toLowerCase()})`)
    .join('; ');

const securityScheme = () => ({
  type: 'oauth2',
  flows: {
    clientCredentials: {
      tokenUrl: '/token',
      scopes: { 'clients:read': 'read clients and their history', 'clients:write': 'change clients' },
    },
  },
});

const ioOf = (name: string): 'input' | 'output' => (name.endsWith('Body') ? 'input' : 'output');

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}

function reference(schema: z.ZodType): object {
  const [name] = Object.entries(NAMED).find(([, one]) => one === schema) ?? [];
  if (name === undefined) throw new Error('a schema of an operation has no name in the document');
  return { $ref: `#/components/schemas/${name}` };
}

function described(one: Operation) {
  const { status, what, schema, headers = [] } = one.answer;
  const content = schema === undefined ? {} : { content: { 'application/json': { schema: reference(schema) } } };
  const shown = { description: what, ...(headers.length > 0 ? { headers: headersOf(headers) } : {}), ...content };
  return {
    ...{ operationId: one.id, summary: one.summary, security: [{ token: [one.scope] }] },
    parameters: parametersOf(one),
    ...(one.body === undefined ? {} : { requestBody: bodyOf(one.body) }),
    responses: { [status]: shown, ...problemAnswers(refusalsOf(one)) },
  };
}

const bodyOf = ({ type, schema, most }: NonNullable<Operation['body']>) => ({
  ...{ required: true, description: `Up to ${most.toUpperCase()}` },
  content: { [type]: { schema: reference(schema) } },
});

const HEADERS = {
  ETag: { description: 'what If-Match wants for the next change', schema: { type: 'string' }, required: true },
  Location: { description: 'the address of the new client', schema: { type: 'string', format: 'uri' }, required: true },
  Link: { description: 'the next page, where there is one (RFC 8288)', schema: { type: 'string' } },
} as const;

const headersOf = (names: readonly (keyof typeof HEADERS)[]) =>
  Object.fromEntries(names.map((name) => [name, HEADERS[name]]));

/** Everything that an operation may refuse, by what it takes. */
function refusalsOf({ body, condition, takesKey, notToItself, refusals }: Operation): ProblemName[] {
  return [
    ...([
      'request-wrong',
      'token-missing',
      'token-invalid',
      'token-bound',
      'token-of-member',
      'scope-missing',
    ] as const),
    ...refusals,
    ...(body === undefined ? [] : (['body-too-large', 'body-type-unknown'] as const)),
    ...(condition === undefined ? [] : (['client-moved-on'] as const)),
    ...(condition === 'demanded' ? (['condition-missing'] as const) : []),
    ...(notToItself ? (['own-registration'] as const) : []),
    ...(takesKey ? (['key-in-use', 'key-reused'] as const) : []),
    'unavailable',
  ];
}

function problemAnswers(names: readonly ProblemName[]) {
  const statuses = [...new Set(names.map((name) => PROBLEMS[name].status))].toSorted((a, b) => a - b);
  const content = { 'application/problem+json': { schema: reference(schemas.Problem) } };
  return Object.fromEntries(
    statuses.map((status) => {
      const these = names.filter((name) => PROBLEMS[name].status === status);
      return [status, { description: these.map((name) => `\`${name}\``).join(', '), content }];
    }),
  );
}

function parametersOf({ path, query, method, condition, takesKey }: Operation): object[] {
  const text = (name: string, more: object, schema: object = {}) => ({
    ...{ name, in: 'header', ...more, schema: { type: 'string', ...schema } },
  });
  return [
    ...(path.includes('{client_id}')
      ? [{ name: 'client_id', in: 'path', required: true, schema: { type: 'string', minLength: 1 } }]
      : []),
    ...queryParameters(query),
    ...(condition === undefined
      ? []
      : [text('If-Match', { description: 'the ETag that was read', required: condition === 'demanded' })]),
    ...(takesKey
      ? [text('Idempotency-Key', { description: 'the same answer for a day' }, { pattern: '^[\\x21-\\x7e]{1,200}$' })]
      : []),
    ...(method === 'GET' ? [] : [text('X-Reason', { description: 'why, for the history' }, { maxLength: 500 })]),
  ];
}

function queryParameters(query: z.ZodType): object[] {
  const { properties = {} } = jsonSchema(query, 'input') as { properties?: Record<string, { description?: string }> };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    description,
    schema,
  }));
}
