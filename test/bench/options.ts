export interface Options {
  /** Names of the parts to run, in the order of their table. */
  readonly parts: readonly string[];
  /** How often each thing is done. */
  readonly rounds: number;
  /** How much data there is where there is much of it. */
  readonly megabytes: number;
  readonly keys: number;
  /** Where the growth ends. */
  readonly mostKeys: number;
  readonly mostMembers: number;
  /** Only the documents, from what earlier runs have found. */
  readonly reportOnly: boolean;
}

/** Whole numbers: the default, and what is allowed. */
const NUMBERS = {
  '--rounds': [7, 1, 100],
  '--megabytes': [2000, 1, 8000],
  '--keys': [2_000_000, 1000, 20_000_000],
  '--most-keys': [1_000_000, 1000, 20_000_000],
  '--most-members': [9, 3, 9],
} as const;
type NumberOption = keyof typeof NUMBERS;

export const usage = (names: readonly string[]): string =>
  `usage: npm run bench -- [--only PART,…] [--report] ${Object.entries(NUMBERS)
    .map(([key, [fallback]]) => `[${key} N (${fallback})]`)
    .join(' ')}
A PART is one of ${names.join(', ')}, or what several of them begin with.`;

/** @throws Error with one line for the person who typed it */
export function parseOptions(words: readonly string[], names: readonly string[]): Options {
  const numbers = new Map<NumberOption, number>();
  const only = new Set<string>();
  let reportOnly = false;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '--report') {
      reportOnly = true;
    } else if (word === '--only') {
      for (const asked of (words[++at] ?? '').split(',')) {
        const meant = names.filter((name) => name === asked || name.startsWith(`${asked}-`));
        if (meant.length === 0)
          throw new Error(`--only ${asked} is not allowed; allowed are ${names.join(', ')}.`);
        for (const name of meant) only.add(name);
      }
    } else if (word in NUMBERS) {
      const key = word as NumberOption;
      const [, least, most] = NUMBERS[key];
      const value = Number(words[++at]);
      if (!(Number.isInteger(value) && value >= least && value <= most))
        throw new Error(
          `${key} ${words[at]} is not allowed; allowed is a whole number from ${least} to ${most}.`,
        );
      numbers.set(key, value);
    } else {
      throw new Error(`${word} is not understood.`);
    }
  }
  const number = (key: NumberOption): number => numbers.get(key) ?? NUMBERS[key][0];
  return {
    parts: names.filter((name) => only.size === 0 || only.has(name)),
    rounds: number('--rounds'),
    megabytes: number('--megabytes'),
    keys: number('--keys'),
    mostKeys: number('--most-keys'),
    mostMembers: number('--most-members'),
    reportOnly,
  };
}
