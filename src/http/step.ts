import type { AuthorizationRequest } from '../core/journey/authorizationRequest.ts';
import type { Facts, Journey, Requirement } from '../core/journey/journey.ts';
import type { Outcome, Refusal } from '../core/refusal.ts';
import type { Form } from './form.ts';
import type { Target } from './lockout.ts';

/** Where a step is in: the journey, what the app asked for, and who the app is. */
export interface StepContext {
  readonly journey: Journey;
  readonly request: AuthorizationRequest;
  /** The username that this browser remembers. */
  readonly rememberedName: string | undefined;
}

/**
 * One screen of a journey. It says what it shows, what it reads from its form, and what a good answer proves. It never
 * redirects, renders or calls another step: the pipeline does that, the same way for all.
 */
export interface Step<Input> {
  readonly name: Requirement;
  /** Its template in `views`, under the name of its own folder and file. */
  readonly view: string;
  /** What its view needs besides what each view has. `typed` is the form that was refused; secrets are not repeated. */
  show(context: StepContext, typed?: Form): Promise<object>;
  parse(form: Form): Outcome<Input>;
  /** For a step that compares a secret: whose it is. The attempt is taken before `submit` compares. */
  identify?(input: Input): Promise<Target & { readonly input: Input }>;
  /** What the page's script may ask while the member still types; it takes no attempt and changes nothing. */
  advise?(input: Input, context: StepContext): Promise<Advice>;
  /** Facts to add to the journey, or a refusal. */
  submit(input: Input, context: StepContext): Promise<Outcome<Facts>>;
  /** What a proven answer changes elsewhere; done once the journey holds the facts, and safe to do twice. */
  conclude?(proven: Facts, context: StepContext): Promise<void>;
  /** The field that a refusal is about, for the link in the error summary. */
  fieldOf(refusal: Refusal): string | undefined;
}

/** What would be said to this answer. */
interface Advice {
  readonly refusal?: Refusal;
  /** How good it is, from 0 to 4. */
  readonly level: number;
  readonly values: Readonly<Record<string, number>>;
}

/** A step whose input type is its own business. */
export type AnyStep = Step<unknown>;

/** Hides a step's input type from the pipeline, which only carries it from `parse` to `submit`. */
export const step = <Input>(definition: Step<Input>): AnyStep => definition as AnyStep;
