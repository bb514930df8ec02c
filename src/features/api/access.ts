import type { ClientRecord } from '../../core/client/client.ts';
import type { Collection } from '../../core/storage/collection.ts';
import type { PageContext } from '../../http/context.ts';
import type { ProblemName, Refused } from './problems.ts';

export type Scope = 'clients:read' | 'clients:write';

/** What a JWT access token for this API says, once its signature, audience, type and time are known to be right. */
interface AccessToken {
  readonly clientId: string;
  readonly subject: string;
  readonly scopes: readonly string[];
  /** Seconds since 1970. */
  readonly issuedAt: number;
  readonly isBound: boolean;
}

export interface AccessDependencies {
  /** Undefined for what is no access token for this API. */
  readonly readToken: (token: string) => Promise<AccessToken | undefined>;
  readonly clients: Collection<ClientRecord>;
}

/** Seconds by which the clocks of two nodes may differ. */
const CLOCKS_DIFFER = 10;

export interface Caller {
  readonly clientId: string;
}

/**
 * Lets in a client that acts for itself, with a token that has this scope. Its registration is read from the store each time: whoever is
 * disabled, deleted, or has lost the scope is out at once, though the token holds for minutes.
 */
export function accessGate({ readToken, clients }: AccessDependencies) {
  return async (ctx: PageContext, scope: Scope): Promise<Caller | Refused> => {
    const header = ctx.get('Authorization');
    if (header === '') return refusedToken('token-missing', scope);
    // A token that is bound would have to be proven (RFC 9449 7.2), and is refused by every scheme.
    if (/^DPoP /i.test(header)) return refusedToken('token-bound', scope);
    const token = await readToken(/^Bearer +([\w.~+/-]+=*)$/i.exec(header)?.[1] ?? '');
    if (token === undefined) return refusedToken('token-invalid', scope);
    if (token.isBound) return refusedToken('token-bound', scope);
    // RFC 9068 2.2: whoever acts for itself is its own subject.
    if (token.subject !== token.clientId) return refusedToken('token-of-member', scope);
    const record = (await clients.find(token.clientId))?.value;
    // An id that was given anew is another client.
    if (record === undefined || record.disabled || record.createdAt > token.issuedAt + CLOCKS_DIFFER) {
      return refusedToken('token-invalid', scope);
    }
    const holds = token.scopes.includes(scope) && listedScopes(record).includes(scope);
    return holds ? { clientId: token.clientId } : refusedToken('scope-missing', scope);
  };
}

const listedScopes = ({ metadata: { scope } }: ClientRecord): readonly string[] =>
  typeof scope === 'string' ? scope.split(' ') : [];

/** RFC 6750 3.1: without a token no error is named. */
const ERRORS: Partial<Readonly<Record<ProblemName, string>>> = {
  'token-invalid': 'error="invalid_token"',
  'token-bound': 'error="invalid_token", error_description="bound tokens are not taken here"',
  'token-of-member': 'error="invalid_token", error_description="only a client that acts for itself"',
  'scope-missing': 'error="insufficient_scope"',
};

function refusedToken(problem: ProblemName, scope: Scope): Refused {
  const parts = ['realm="clients"', ERRORS[problem], `scope="${scope}"`].filter((part) => part !== undefined);
  return { problem, headers: { 'WWW-Authenticate': `Bearer ${parts.join(', ')}` } };
}
