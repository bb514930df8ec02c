/**
 * A store that we depend on does not answer. The only error besides bugs that may leave a store.
 *
 * Its shape is the one that oidc-provider shows to relying parties: 503 with `temporarily_unavailable` (RFC 6749 4.1.2.1).
 */
export class Unavailable extends Error {
  readonly statusCode = 503;
  readonly expose = true;
  readonly error_description = 'a part of this service does not answer right now; try again in a moment';
  readonly dependency: string;

  constructor(dependency: string, cause: unknown) {
    super('temporarily_unavailable', { cause });
    this.name = 'Unavailable';
    this.dependency = dependency;
  }
}
