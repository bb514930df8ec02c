import type { ParameterizedContext } from 'koa';
import type { Logger } from '../observe/logger.ts';
import type { Locale, Translate } from './words.ts';

/** What the middleware has found out about a request before a page sees it. */
export interface PageState {
  requestId: string;
  /** For `<script nonce>`; new with each answer. */
  nonce: string;
  locale: Locale;
  t: Translate;
  log: Logger;
}

export type PageContext = ParameterizedContext<PageState>;

/** oidc-provider's middleware runs inside ours, so that its context is ours too; its type does not know. */
export const pageContext = (ctx: object): PageContext => ctx as PageContext;
