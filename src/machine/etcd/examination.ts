/** What was found, and where: the file's name, and the byte where that is known. */
export interface Damage {
  readonly file: string;
  readonly at?: number;
  readonly what: string;
}

export type Depth = 'kind' | 'log' | 'all';

export interface ExamineOptions {
  /** Reading stops when so many bytes have been read, or so many milliseconds have passed. */
  readonly bytes: number;
  readonly ms: number;
  /**
   * kind: stop as soon as it is known whose data these are, and that they are more than a founding; term, commit and
   * last index are then those of the log's beginning. log: the log alone. all: the database too, where no etcd runs.
   */
  readonly depth: Depth;
}
