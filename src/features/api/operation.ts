import type { z } from 'zod';
import type { Asking, ClientAdministration } from '../../core/client/administration.ts';
import type { ClientChange } from '../../core/client/changes.ts';
import type { ClientRecord } from '../../core/client/client.ts';
import type { Collection } from '../../core/storage/collection.ts';
import type { Scope } from './access.ts';
import type { BodyForm } from './input.ts';
import type { ProblemName, Refused, Reply } from './problems.ts';

/** What the operations work on. */
export interface Api {
  readonly issuer: string;
  readonly administration: ClientAdministration;
  readonly clients: Collection<ClientRecord>;
  readonly changes: Collection<ClientChange>;
  /** An id for a client of this name. */
  readonly newId: (name: unknown) => string;
}

/** One use of an operation, with everything in it known to be of the right form. */
export interface Call<Query = unknown, Content = unknown> {
  /** The client that the path names; empty where it names none. */
  readonly id: string;
  readonly query: Query;
  readonly body: Content;
  /** The version that the caller has read, by If-Match. */
  readonly version: number | undefined;
  readonly asking: Asking;
  /** The client that asks. */
  readonly callerId: string;
}

/** What the API does at one address by one method: the document is made of this, and the requests are held to it. */
export interface Operation<Query = unknown, Content = unknown> {
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly scope: Scope;
  readonly summary: string;
  readonly query: z.ZodType<Query>;
  readonly body?: BodyForm & { readonly schema: z.ZodType<Content> };
  /** Whether it wants If-Match, or takes it. */
  readonly condition?: 'demanded' | 'optional';
  readonly takesKey?: boolean;
  /** No client does it to itself, and so locks itself out. */
  readonly notToItself?: boolean;
  readonly answer: {
    readonly status: number;
    readonly what: string;
    readonly schema?: z.ZodType;
    readonly headers?: readonly ('ETag' | 'Location' | 'Link')[];
  };
  /** Refusals besides those that its form brings with it. */
  readonly refusals: readonly ProblemName[];
  run(api: Api, call: Call<Query, Content>): Promise<Reply | Refused>;
}

/** Checks an operation against its own forms, which its `run` then knows. */
export const operation = <Query, Content>(one: Operation<Query, Content>): Operation => one;
