import type { ClientRefusal } from '../../core/client/administration.ts';

/** Why the API does not do what it is asked for. */
export type ProblemName =
  | ClientRefusal
  | 'request-wrong'
  | 'token-missing'
  | 'token-invalid'
  | 'token-bound'
  | 'token-of-member'
  | 'scope-missing'
  | 'path-unknown'
  | 'method-unknown'
  | 'own-registration'
  | 'key-in-use'
  | 'body-too-large'
  | 'body-type-unknown'
  | 'key-reused'
  | 'import-refused'
  | 'condition-missing'
  | 'failed'
  | 'unavailable';

/** The status of each problem, and what it means; its name is the end of its `type`, and never changes. */
export const PROBLEMS: Readonly<Record<ProblemName, { readonly status: number; readonly title: string }>> = {
  'request-wrong': { status: 400, title: 'The request is not as the document says' },
  'token-missing': { status: 401, title: 'An access token is missing' },
  'token-invalid': { status: 401, title: 'The access token is not good here, or not any longer' },
  'token-bound': { status: 401, title: 'Tokens that are bound to a key or a certificate are not taken here' },
  'token-of-member': { status: 401, title: 'Tokens that stand for a member are not taken here' },
  'scope-missing': { status: 403, title: 'The access token has not the scope that this takes' },
  'client-unknown': { status: 404, title: 'There is no such client' },
  'path-unknown': { status: 404, title: 'There is nothing at this address' },
  'method-unknown': { status: 405, title: 'This address does not take this method' },
  'client-exists': { status: 409, title: 'There is a client of this id already' },
  'client-has-no-secret': { status: 409, title: 'The client has no secret: it proves itself otherwise' },
  'own-registration': { status: 409, title: 'A client does not change, disable or delete itself here' },
  'key-in-use': { status: 409, title: 'A request with this Idempotency-Key is under way' },
  'client-moved-on': { status: 412, title: 'The client is not what it was when you read it' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'body-type-unknown': { status: 415, title: 'The body is not of the type that this takes' },
  'client-refused': { status: 422, title: 'The client is refused' },
  'key-reused': { status: 422, title: 'This Idempotency-Key came with another body' },
  'import-refused': { status: 422, title: 'Clients of the import are refused; nothing was written' },
  'condition-missing': { status: 428, title: 'If-Match is missing: send the ETag that you read' },
  failed: { status: 500, title: 'Something is wrong on our side' },
  unavailable: { status: 503, title: 'A part of this service does not answer right now' },
};

/** One thing that is wrong, and where: in the body (a JSON pointer, RFC 6901), in the query or in a header. */
export interface Fault {
  readonly detail: string;
  readonly pointer?: string;
  readonly parameter?: string;
  readonly header?: string;
}

export interface Refused {
  readonly problem: ProblemName;
  readonly errors?: readonly Fault[];
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Reply {
  readonly status: number;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

export const isRefused = (outcome: object): outcome is Refused => 'problem' in outcome;

/** The address of a problem's type: it leads to the document that explains it (RFC 9457 3.1.1). */
export const typeOf = (name: ProblemName): string => `/api/v1/openapi.json#${name}`;

/** The answer to a refusal (RFC 9457 3). */
export function problemReply({ problem, errors, headers = {} }: Refused, requestId: string): Reply {
  const { status, title } = PROBLEMS[problem];
  const body = {
    type: typeOf(problem),
    title,
    status,
    ...(errors === undefined ? {} : { errors }),
    request_id: requestId,
  };
  return { status, body, headers: { ...headers, 'Content-Type': 'application/problem+json' } };
}
