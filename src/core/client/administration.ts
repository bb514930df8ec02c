import type { Actor, Audit, AuditAction } from '../audit/event.ts';
import type { Clock } from '../clock.ts';
import { seconds } from '../clock.ts';
import type { Collection, Stored } from '../storage/collection.ts';
import { type ClientChange, differences, recordChange } from './changes.ts';
import type { ClientMetadata, ClientRecord } from './client.ts';
import { isSeenByMembers, needsSecret } from './kinds.ts';
import { type NewClient, newClient, withDefaults } from './newClient.ts';
import { OWN_CLIENT } from './ownClient.ts';
import { holdsPrivateKey } from './publicKeys.ts';
import { lintRedirectUri } from './redirectUri.ts';
import { withNewSecret } from './secret.ts';

/** Why an administrator's wish is not done. */
export type ClientRefusal =
  | 'client-unknown'
  | 'client-exists'
  | 'client-moved-on'
  | 'client-refused'
  | 'client-has-no-secret';

/** What a use case answers; `faults` says what is wrong with the client, one sentence each. */
export type Ruling<Done> =
  | { readonly ok: true; readonly done: Done }
  | { readonly ok: false; readonly refusal: ClientRefusal; readonly faults: readonly string[] };

/** What each change is called on record. */
const AUDITED: Readonly<Record<ClientChange['action'], AuditAction>> = {
  registered: 'client-made',
  changed: 'client-changed',
  disabled: 'client-disabled',
  enabled: 'client-enabled',
  deleted: 'client-deleted',
  'secret-rotated': 'client-secret-made',
  'secret-ended': 'client-secrets-ended',
};

/** Whom the history names, as the record does: a person of the staff, a client with a token, or the command line. */
function actorOf(by: string): Actor | undefined {
  // The command says itself who has typed it.
  if (by === 'command line') return undefined;
  const [, client] = /^client (.*)$/.exec(by) ?? [];
  return client === undefined ? { kind: 'staff', id: by } : { kind: 'client', id: client };
}

/** Who asks, and why. */
export interface Asking {
  /** The id of an account, of a client with an access token, or of the command line. */
  readonly by: string;
  readonly reason?: string | undefined;
}

export interface AdministrationDependencies {
  readonly clients: Collection<ClientRecord>;
  readonly changes: Collection<ClientChange>;
  readonly clock: Clock;
  readonly newId: () => string;
  /** 256 random bits, Base64url. */
  readonly newSecret: () => string;
  /** What the protocol finds wrong with a client, or undefined. */
  readonly faultOf: (record: ClientRecord) => string | undefined;
  readonly audit: Audit;
  /** Everything that has read the client before reads it anew. */
  readonly forget: (id: string) => void;
}

/** A client and, where it has just got one, its secret: shown this once. */
export interface WithSecret {
  readonly client: Stored<ClientRecord>;
  readonly secret?: string | undefined;
}

const no = (refusal: ClientRefusal, faults: readonly string[] = []): Ruling<never> => ({ ok: false, refusal, faults });
const yes = <Done>(done: Done): Ruling<Done> => ({ ok: true, done });

const strings = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

/** No secret is stored but as a digest, wherever the metadata comes from. */
function withoutSecret(metadata: object): object {
  const { client_secret: _, ...rest } = metadata as { client_secret?: unknown };
  return rest;
}

interface Judgement {
  readonly faults: string[];
  /** What is only unwise. */
  readonly advice: string[];
}

/** What is wrong with the addresses that members come back to, and with the keys: the same whoever registers the client. */
export function judgeAddressesAndKeys(metadata: Pick<ClientMetadata, 'redirect_uris'>): Judgement {
  const { redirect_uris, post_logout_redirect_uris, jwks } = metadata as ClientMetadata;
  const uris = [...redirect_uris, ...strings(post_logout_redirect_uris)];
  const lints = uris.map((uri) => ({ uri, ...lintRedirectUri(uri) }));
  const keys = holdsPrivateKey(jwks) ? ['jwks holds a private key: register the public ones only.'] : [];
  return {
    faults: [...lints.flatMap((lint) => lint.faults.map((fault) => `${lint.uri} ${fault}.`)), ...keys],
    advice: lints.flatMap((lint) => lint.advice.map((one) => `${lint.uri} ${one}.`)),
  };
}

/** What is wrong with what an administrator wants registered, besides what the protocol says; and what is only unwise. */
export function judgeClient(metadata: ClientMetadata): Judgement {
  const { faults: first, advice } = judgeAddressesAndKeys(metadata);
  const comesBack = !Array.isArray(metadata.response_types) || metadata.response_types.length > 0;
  const isSeen = isSeenByMembers(metadata);
  const faults = [
    ...first,
    metadata.client_name === undefined && 'The name is missing.',
    isSeen && comesBack && metadata.redirect_uris.length === 0 && 'The address that members come back to is missing.',
    isSeen &&
      metadata.client_uri === undefined &&
      metadata.initiate_login_uri === undefined &&
      "The app's front page is missing: it is the way back for a member whose sign-in page has expired.",
  ].filter((fault) => fault !== false);
  return { faults, advice };
}

/**
 * What administrators do with clients: the same behind the console, the API and the command line. Every change is put into the
 * client's history, with who and why.
 */
export function clientAdministration(deps: AdministrationDependencies) {
  const { clients, audit, changes, clock, newId, newSecret, faultOf, forget } = deps;

  const put = async (
    id: string,
    { by, reason }: Asking,
    action: ClientChange['action'],
    before: ClientRecord | undefined,
    after: ClientRecord | undefined,
  ): Promise<void> => {
    forget(id);
    const fields = differences(before, after);
    const change = { clientId: id, at: clock.now(), by, action, fields, ...(reason === undefined ? {} : { reason }) };
    await recordChange(changes, change, newId());
    await audit.record({ action: AUDITED[action], actor: actorOf(by), subject: { kind: 'client', id }, reason });
  };

  const provided = (metadata: ClientMetadata, brought?: string): NewClient => {
    return {
      ...(withoutSecret(metadata) as ClientMetadata),
      client_secret: needsSecret(metadata) ? (brought ?? newSecret()) : undefined,
    };
  };

  const faultsOf = (record: ClientRecord): string[] => {
    const { faults } = judgeClient(record.metadata);
    const fault = faults.length === 0 ? faultOf(record) : undefined;
    return fault === undefined ? faults : [fault];
  };

  /** Changes a client that still has this version, where one is given; otherwise whatever it has become. */
  async function changing(
    id: string,
    asking: Asking,
    action: ClientChange['action'],
    version: number | undefined,
    to: (record: ClientRecord) => ClientRecord | Ruling<never>,
  ): Promise<Ruling<Stored<ClientRecord>>> {
    for (;;) {
      const stored = await clients.find(id);
      if (stored === undefined) return no('client-unknown');
      if (version !== undefined && stored.version !== version) return no('client-moved-on');
      const after = to(stored.value);
      if ('ok' in after) return after;
      if (!(await clients.replace(id, stored.version, after))) continue;
      await put(id, asking, action, stored.value, after);
      return yes({ id, version: stored.version + 1, value: after });
    }
  }

  return {
    find: (id: string): Promise<Stored<ClientRecord> | undefined> => clients.find(id),

    /** Up to `limit` clients whose ids come after this one, in the order of their ids. */
    list: (after: string, limit: number): Promise<Stored<ClientRecord>[]> => clients.all(after, limit),

    /** All that is wrong with this client, as if it were registered now. */
    judge: (metadata: ClientMetadata): readonly string[] => faultsOf(newClient(provided(metadata), seconds(clock))),

    /** Registers a client. One that proves itself by a secret gets one: a new one, unless the operator brings it. */
    async register(metadata: ClientMetadata, asking: Asking, brought?: string): Promise<Ruling<WithSecret>> {
      const { client_secret: secret, ...rest } = provided(metadata, brought);
      const record = newClient({ ...rest, client_secret: secret } as NewClient, seconds(clock));
      const faults = faultsOf(record);
      if (faults.length > 0) return no('client-refused', faults);
      const id = metadata.client_id;
      // The directory would never show what stands under this name.
      if (id === OWN_CLIENT) return no('client-exists');
      if ((await clients.insert(id, record)) !== 'inserted') return no('client-exists');
      await put(id, asking, 'registered', undefined, record);
      return yes({ client: { id, version: 1, value: record }, secret });
    },

    /** Gives a client this metadata instead; its id and its secrets stay. */
    change: (id: string, version: number | undefined, metadata: Omit<ClientMetadata, 'client_id'>, asking: Asking) =>
      changing(id, asking, 'changed', version, (record) => {
        const after: ClientRecord = {
          ...record,
          metadata: withDefaults({ ...withoutSecret(metadata), client_id: id } as ClientMetadata),
          secrets: needsSecret(metadata) ? record.secrets : [],
          updatedAt: seconds(clock),
        };
        const faults = faultsOf(after);
        return faults.length > 0 ? no('client-refused', faults) : after;
      }),

    /** What is disabled opens nothing, within seconds; its record stays. */
    switch: (id: string, disabled: boolean, asking: Asking, version?: number) =>
      changing(id, asking, disabled ? 'disabled' : 'enabled', version, (record) => ({
        ...record,
        disabled,
        updatedAt: seconds(clock),
      })),

    /** A new secret; the ones before hold for `overlap` seconds more. */
    async rotateSecret(id: string, overlap: number, asking: Asking, version?: number): Promise<Ruling<WithSecret>> {
      const secret = newSecret();
      const now = seconds(clock);
      const changed = await changing(id, asking, 'secret-rotated', version, (record) =>
        needsSecret(record.metadata)
          ? { ...record, secrets: withNewSecret(record.secrets, secret, overlap, now), updatedAt: now }
          : no('client-has-no-secret'),
      );
      return changed.ok ? yes({ client: changed.done, secret }) : changed;
    },

    /** The secrets before the newest end at once. */
    endOldSecrets: (id: string, asking: Asking, version?: number) =>
      changing(id, asking, 'secret-ended', version, (record) => ({
        ...record,
        secrets: record.secrets.slice(0, 1),
        updatedAt: seconds(clock),
      })),

    /** The client is gone for good, but for its history. */
    async remove(id: string, asking: Asking, version?: number): Promise<Ruling<undefined>> {
      for (;;) {
        const stored = await clients.find(id);
        if (stored === undefined) return no('client-unknown');
        if (version !== undefined && stored.version !== version) return no('client-moved-on');
        if (!(await clients.remove(id, stored.version))) continue;
        await put(id, asking, 'deleted', stored.value, undefined);
        return yes(undefined);
      }
    },
  };
}

export type ClientAdministration = ReturnType<typeof clientAdministration>;
