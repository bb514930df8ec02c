/** What a worker tells the process that began it. */
export type FromWorker =
  | { readonly type: 'serving' }
  /** It cannot start, and somebody has to mend what these words say. */
  | { readonly type: 'unstartable'; readonly words: string }
  /** Somebody asked it for the metrics of all. */
  | { readonly type: 'metrics wanted'; readonly id: number };

/** What it is told. */
export type ToWorker =
  | { readonly type: 'end' }
  /** Undefined where the workers did not all answer. */
  | { readonly type: 'metrics'; readonly id: number; readonly text: string | undefined };
