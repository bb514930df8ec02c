import type { Context } from 'koa';
import type { Logger } from '../observe/logger.ts';
import type { PageState } from './context.ts';
import { localeOf } from './locale.ts';
import { newNonce, newRequestId } from './random.ts';
import { type Locale, type Translate, translator } from './words.ts';

/**
 * What is known of a request. Its language and a log of its own are made when they are first asked for: most answers of the
 * protocol need neither.
 */
export class RequestState implements PageState {
  readonly requestId = newRequestId();
  readonly nonce = newNonce();
  beside?: Promise<void>;
  userCode?: string;
  readonly #ctx: Context;
  readonly #allLog: Logger;
  #log: Logger | undefined;
  #locale: Locale | undefined;

  constructor(ctx: Context, log: Logger) {
    this.#ctx = ctx;
    this.#allLog = log;
  }

  get log(): Logger {
    this.#log ??= this.#allLog.child({ requestId: this.requestId });
    return this.#log;
  }

  get locale(): Locale {
    if (this.#locale === undefined) this.locale = localeOf(this.#ctx);
    return this.#locale as Locale;
  }

  set locale(locale: Locale) {
    this.#locale = locale;
    this.#ctx.set('Content-Language', locale);
  }

  get t(): Translate {
    return translator(this.locale);
  }
}
