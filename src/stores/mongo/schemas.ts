import { type Connection, type Model, Schema } from 'mongoose';
import type { Account } from '../../core/account/account.ts';
import type { Case } from '../../core/audit/cases.ts';
import type { AuditBatch } from '../../core/audit/chain.ts';
import type { LookupRecord } from '../../core/audit/lookup.ts';
import type { AuditSeal } from '../../core/audit/seals.ts';
import type { TrailRecord } from '../../core/audit/trail.ts';
import type { ClientChange } from '../../core/client/changes.ts';
import type { ClientRecord } from '../../core/client/client.ts';
import type { Consent } from '../../core/consent/consent.ts';
import type { KeyRing } from '../../core/keys/keyRing.ts';
import type { RosterRecord } from '../../core/membership/rosterCipher.ts';
import type { Ending } from '../../core/session/everybody.ts';
import type { Staff, StaffMember } from '../../core/staff/staff.ts';

/** How a document stands in MongoDB. */
export interface Versioned<T> {
  _id: string;
  version: number;
  value: T;
  /** The claims that it holds; a claim whose owner does not list it is an orphan. What was written before has no list. */
  claims?: string[];
}

/** A value that one document holds; its `_id` is `collection/value`. */
export interface ClaimDocument {
  _id: string;
  owner: string;
  /** The version of the owner that lists it first. What was written before owners had lists does not say it. */
  since?: number;
  /** When it was taken last, in milliseconds since 1970. */
  at: number;
}

/** An item that is due at a time; its `_id` is `list/id`. */
export interface ScheduledDocument {
  _id: string;
  list: string;
  id: string;
  due: number;
  /** JSON. */
  value: string;
}

const text = { type: String, required: true } as const;
const number = { type: Number, required: true } as const;
const flag = { type: Boolean, required: true } as const;
const texts = { type: [String], required: true } as const;

const passwordHash = { _id: false, phc: text, pepperId: { type: String, default: '' } } as const;

const contact = { _id: false, kind: text, to: text } as const;

const account: Record<keyof Account, object> = {
  username: text,
  password: passwordHash,
  formerPasswords: { type: [passwordHash], default: undefined },
  passwordMustChange: Boolean,
  email: String,
  emailConfirmed: flag,
  phone: String,
  phoneConfirmed: flag,
  isLandline: Boolean,
  moreContacts: { type: [contact], default: undefined },
  memberNumber: String,
  firstName: text,
  lastName: text,
  birthDate: String,
  postalCode: String,
  locale: text,
  agreed: { type: { _id: false, terms: text, privacy: text, sms: String }, default: undefined },
  factors: { type: Schema.Types.Mixed, default: undefined },
  recovery: {
    type: { _id: false, contact, readyAt: number, until: number, stop: text, message: String },
    default: undefined,
  },
  resetDemanded: Boolean,
  resetFrom: Number,
  frozenAt: Number,
  openUntil: Number,
  attemptsEpoch: Number,
  closesAt: Number,
  contactsAskedAt: Number,
  bounced: String,
  passkeyOffer: { type: { _id: false, askedAt: number, never: Boolean }, default: undefined },
  deviceEpoch: number,
  createdAt: number,
  updatedAt: number,
};

const client: Record<keyof ClientRecord, object> = {
  metadata: { type: Schema.Types.Mixed, required: true },
  secrets: [{ _id: false, digest: text, createdAt: number, expiresAt: Number }],
  seededFrom: String,
  disabled: flag,
  createdAt: number,
  updatedAt: number,
};

const consent: Record<keyof Consent, object> = {
  accountId: text,
  clientId: text,
  scopes: texts,
  claims: texts,
  apiScopes: { type: [String], default: undefined },
  givenAt: number,
  until: number,
};

const signingKey = {
  _id: false,
  kid: text,
  alg: text,
  sealed: text,
  createdAt: number,
  signsFrom: number,
  goneAt: Number,
};

const keyRing: Record<keyof KeyRing, object> = { keys: [signingKey], sealedSalt: text, rotateEvery: { type: Number } };

const roster: Record<keyof RosterRecord, object> = {
  fingerprint: { type: String, default: '' },
  sealed: String,
  mergedInto: String,
};

const trail: Record<keyof TrailRecord, object> = {
  accountId: text,
  at: number,
  what: text,
  app: String,
  agent: String,
};

const cases: Record<keyof Case, object> = {
  accountId: text,
  what: text,
  happenedAt: number,
  openedAt: number,
  status: text,
};

const staffMember: Record<keyof StaffMember, object> = { accountId: text, roles: texts, since: number, by: text };
const staff: Record<keyof Staff, object> = { members: [{ _id: false, ...staffMember }] };

const clientChanges: Record<keyof ClientChange, object> = {
  ...{ clientId: text, at: number, by: text, action: text, reason: String },
  fields: [{ _id: false, name: text, from: String, to: String }],
};
const audit: Record<keyof AuditBatch, object> = { node: text, first: number, events: texts, mac: text };

const auditSeals: Record<keyof AuditSeal, object> = { body: text, mac: text };

const ending: Record<keyof Ending, object> = { before: number };

const auditLookup: Record<keyof LookupRecord, object> = { batch: text };

/** A field that the schema does not know is a bug of ours and must not be dropped in silence. */
const strict = { strict: 'throw', versionKey: false, minimize: false, autoIndex: false, autoCreate: false } as const;

function versioned<T>(connection: Connection, name: string, fields: object): Model<Versioned<T>> {
  const value = new Schema(fields, { ...strict, _id: false });
  const claims = { type: [String], default: undefined };
  const schema = new Schema({ _id: String, version: number, value: { type: value, required: true }, claims }, strict);
  // Mongoose infers another type from the same fields; the keys are held to ours by the Records above.
  return connection.model(name, schema, name) as unknown as Model<Versioned<T>>;
}

/** The models of everything that lasts, on this connection. */
export function mongoModels(connection: Connection) {
  const claims = new Schema<ClaimDocument>({ _id: String, owner: text, since: Number, at: number }, strict);
  const scheduled = new Schema<ScheduledDocument>(
    { _id: String, list: text, id: text, due: number, value: text },
    { ...strict, id: false },
  ).index({ list: 1, due: 1 });
  return {
    accounts: versioned<Account>(connection, 'accounts', account),
    clients: versioned<ClientRecord>(connection, 'clients', client),
    consents: versioned<Consent>(connection, 'consents', consent),
    keyRings: versioned<KeyRing>(connection, 'keyRings', keyRing),
    roster: versioned<RosterRecord>(connection, 'roster', roster),
    trail: versioned<TrailRecord>(connection, 'trail', trail),
    cases: versioned<Case>(connection, 'cases', cases),
    staff: versioned<Staff>(connection, 'staff', staff),
    clientChanges: versioned<ClientChange>(connection, 'clientChanges', clientChanges),
    audit: versioned<AuditBatch>(connection, 'audit', audit),
    auditSeals: versioned<AuditSeal>(connection, 'auditSeals', auditSeals),
    auditLookup: versioned<LookupRecord>(connection, 'auditLookup', auditLookup),
    endings: versioned<Ending>(connection, 'endings', ending),
    outbox: connection.model('outbox', scheduled, 'outbox') as unknown as Model<ScheduledDocument>,
    claims: connection.model('claims', claims, 'claims') as unknown as Model<ClaimDocument>,
  };
}
