import type { Found, Goal } from '../../bench/figures.ts';
import type { Options } from '../../bench/options.ts';
import type { Described } from '../../bench/report.ts';

/** One part of the bench: it boots the beds that it needs, and takes them down. */
export interface Part extends Described {
  /** With the options that are the defaults, on two cores. */
  readonly minutes: number;
  readonly run: (options: Options) => Promise<Found>;
}

export const ratio = (most: number): Goal => ({ of: 'ratio', most });
export const atMost = (most: number): Goal => ({ of: 'median', most });

/** A part with what it has to keep to, by name. */
export const part = <G extends Readonly<Record<string, Goal>>>({
  goals,
  run,
  ...described
}: Omit<Part, 'run'> & {
  readonly goals: G;
  readonly run: (options: Options, goals: G) => Promise<Found>;
}): Part => ({ ...described, run: (options) => run(options, goals) });
