/** One command of `heal-node`: help, parser and docs come from this value. */
export interface CommandSpec {
  readonly name: string;
  /** One sentence for the list of commands. */
  readonly what: string;
  /** Positional words: `<name>`, or `[name]` where it may be left out. */
  readonly words?: readonly (readonly [name: string, what: string])[];
  readonly options?: readonly (readonly [flags: string, what: string])[];
  /** The schema of `--json`, where the command tells something. */
  readonly json?: string;
  /** What the exit codes mean, where they are more than 0 and 1. */
  readonly exits?: string;
  readonly run: (options: Readonly<Record<string, unknown>>, words: readonly string[]) => Promise<number>;
}

export const EXIT = { done: 0, failed: 1, usage: 2, refused: 3, notHealthy: 4 } as const;
