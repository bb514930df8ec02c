import type { Account } from '../../core/account/account.ts';
import type { Enrollable, Factors, Method } from '../../core/factors/factors.ts';
import type { Facts } from '../../core/journey/journey.ts';
import type { Outcome, Refusal } from '../../core/refusal.ts';
import type { Stored } from '../../core/storage/collection.ts';
import type { Form } from '../../http/form.ts';
import type { StepContext } from '../../http/step.ts';

/** The step of somebody whose account is known by what they have shown already. */
export interface FactorContext extends StepContext {
  readonly account: Stored<Account>;
}

/** What an answer amounts to: `shown` with what else is to be kept, or something else than a proof, such as a new code sent. */
export interface Shown {
  readonly shown: boolean;
  readonly facts?: Facts;
}

/** One kind of second step. Its fields and words are its own; pools, journey and proof are the same for all. */
export interface Factor<Typed = unknown> {
  readonly method: Method;
  /** Authentication method references that it stands for (RFC 8176). */
  readonly amr: readonly string[];
  readonly view: string;
  show(context: FactorContext): Promise<object>;
  /** What it is shown as where one is chosen, such as the end of a phone number. */
  masked(account: Account): string;
  parse(form: Form): Outcome<Typed>;
  /** Whether this input compares a secret, and so costs an attempt. */
  compares(typed: Typed): boolean;
  prove(typed: Typed, context: FactorContext): Promise<Outcome<Shown>>;
  fieldOf(refusal: Refusal): string | undefined;
}

/** What is added to the factors that the account has at that moment. */
type Adds = (now: Factors | undefined) => Partial<Factors>;

/** One that a member sets up by themself. */
export interface EnrollableFactor<Typed = unknown> extends Factor<Typed> {
  readonly method: Enrollable;
  readonly setupView: string;
  /** What is made when the member chooses it, and kept with the journey. */
  begin?(context: FactorContext): { readonly sealed: string };
  showSetup(context: FactorContext): Promise<object>;
  /** Whether it works. What the account then has; undefined where the answer was no proof, such as a new code sent. */
  setUp(typed: Typed, context: FactorContext): Promise<Outcome<{ readonly adds?: Adds; readonly facts?: Facts }>>;
}

/** Hides a factor's input type; the steps only carry it from `parse` to `prove`. */
export const factor = <Typed>(definition: Factor<Typed>): Factor => definition as Factor;
export const enrollable = <Typed>(definition: EnrollableFactor<Typed>): EnrollableFactor =>
  definition as EnrollableFactor;
