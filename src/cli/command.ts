/** One command of `heal-node`: help, parser and docs come from this value. */
export interface CommandSpec {
  readonly name: string;
  /** Positional words, `<name>`, or `[name]` where it may be left out; and what is allowed where that is a list. */
  readonly words?: readonly (readonly [name: string, what: string, choices?: readonly string[]])[];
  /** It reads and writes nothing that is root's. */
  readonly forAll?: true;
  readonly run: (options: Readonly<Record<string, unknown>>, words: readonly string[]) => Promise<number>;
}

/**
 * The texts of a command, in src/cli/command-texts.json: one sentence for the list of commands; what its exit codes mean
 * where they are more than 0 and 1; the schema of `--json`, where it tells something; and its options.
 */
export type Texts = Readonly<{
  what: string;
  exits?: string;
  json?: string;
  options?: Readonly<Record<string, string>>;
}>;
export type Described = CommandSpec &
  Omit<Texts, 'options'> & { readonly options: readonly (readonly [flags: string, what: string])[] };

/** What was called for is not allowed: the place, the value, and what is; a sentence without its full stop. */
export class UsageError extends Error {}

export const EXIT = { done: 0, failed: 1, usage: 2, refused: 3, notHealthy: 4 } as const;
