import type { Account } from '../core/account/account.ts';
import type { App } from '../core/client/client.ts';
import type { AuthorizationRequest } from '../core/journey/authorizationRequest.ts';
import type { Errand } from '../core/journey/errand.ts';
import type { Facts, Requirement } from '../core/journey/journey.ts';
import type { Outcome, Refusal } from '../core/refusal.ts';
import type { Stored } from '../core/storage/collection.ts';
import type { DeviceOwner } from './device.ts';
import type { Form } from './form.ts';
import type { Target } from './lockout.ts';
import type { Network } from './network.ts';
import type { BrowserSession } from './signedIn.ts';
import type { Locale } from './words.ts';

/** Where a step is in. */
export interface StepContext {
  readonly journey: { readonly id: string; readonly facts: Facts };
  /** The username that this browser remembers. */
  readonly rememberedName: string | undefined;
  readonly locale: Locale;
  readonly network: Network;
  /** What the browser calls itself. */
  readonly agent: string;
  /** The app that the member is on the way to. */
  readonly app?: App | undefined;
  /** Whose second step it is about: who has typed the password or a code, or whose session it is. */
  readonly account?: Stored<Account> | undefined;
  /** The session in which a member changes their account. */
  readonly session?: BrowserSession;
  /** The level that a sign-in has to reach at least; see `neededLevel`. On an errand there is none. */
  readonly level?: number;
}

/** On the way through an authorization request: what the app asked for. */
export interface RequestContext extends StepContext {
  readonly request: AuthorizationRequest;
}

/** On an errand of the member's own. */
export interface ErrandContext extends StepContext {
  readonly journey: Errand;
  /** The account's password has changed: this browser stays signed in, everything else ends. Where a member is signed in. */
  keepOnlyThis?(account: Stored<Account>): Promise<void>;
  /** This browser's id as a device, where this account has signed in on it before. */
  knownDevice(owner: DeviceOwner): string | undefined;
}

/**
 * One screen of a journey. It says what it shows, what it reads from its form, and what a good answer proves. It never
 * redirects, renders or calls another step: the pipeline does that, the same way for all.
 */
export interface Step<Input, Context extends StepContext> {
  readonly name: Requirement;
  /** Its template in `views`, under the name of its own folder and file. */
  readonly view: string | ((context: Context) => string);
  /** Every answer takes as long as the slowest, so that time does not tell what is known of somebody else. */
  readonly even?: boolean;
  /** What its view needs besides what each view has. `typed` is the form that was refused; secrets are not repeated. */
  show(context: Context, typed?: Form): Promise<object>;
  parse(form: Form, context: Context): Outcome<Input>;
  /** For a step that compares a secret: whose it is. The attempt is taken before `submit` compares. */
  identify?(input: Input, context: Context): Promise<Target & { readonly input: Input }>;
  /** What the page's script may ask while the member still types; it takes no attempt and changes nothing. */
  advise?(input: Input, context: Context): Promise<Advice>;
  /** Facts to add to the journey, or a refusal. */
  submit(input: Input, context: Context): Promise<Outcome<Facts>>;
  /** What a proven answer changes elsewhere; done once the journey holds the facts, and safe to do twice. */
  conclude?(proven: Facts, context: Context): Promise<void>;
  /** The field that a refusal is about, for the link in the error summary. */
  fieldOf(refusal: Refusal, context: Context): string | undefined;
  /** A refusal that has a page of its own instead of a line on this one: its view. */
  pageOf?(refusal: Refusal): string | undefined;
}

/** What would be said to this answer. */
interface Advice {
  readonly refusal?: Refusal;
  /** How good it is, from 0 to 4. */
  readonly level: number;
  readonly values: Readonly<Record<string, number>>;
}

/** A step whose input type is its own business. */
export type AnyStep<Context extends StepContext> = Step<unknown, Context>;

/** Hides a step's input type from the pipeline, which only carries it from `parse` to `submit`. */
export const step = <Input, Context extends StepContext = RequestContext>(
  definition: Step<Input, Context>,
): AnyStep<Context> => definition as AnyStep<Context>;

/** An account that its owner, the plan or our support desk has closed: the page that says so to who has its password. */
export const pageOfClosed = (refusal: Refusal): string | undefined =>
  CLOSED.includes(refusal) ? `login/${refusal}` : undefined;

const CLOSED: readonly Refusal[] = ['reset-demanded', 'account-frozen', 'membership-over'];
