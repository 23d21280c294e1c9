/** What a part of the bench has found, as data: the table, the documents and the plot are made of it. */

export type Unit = 'ms' | 'MiB' | 'MB/s' | 'count';

/** What a row has to keep to: its ratio, or its own median, is at most that. */
export interface Goal {
  readonly of: 'ratio' | 'median';
  readonly most: number;
}

export interface Row {
  readonly what: string;
  /** Part of the row before it. */
  readonly isDetail?: boolean;
  readonly unit: Unit;
  readonly ours: readonly number[];
  /** What stands beside it, measured in turn with ours. */
  readonly other?: readonly number[];
  readonly goal?: Goal;
}

/** A line of the plot: medians by how much there was of something. */
interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Panel {
  readonly title: string;
  /** What grows, with its unit. */
  readonly x: string;
  readonly isLog: boolean;
  readonly series: readonly Series[];
}

export interface Found {
  readonly rows: readonly Row[];
  /** Sentences about this run: what the rows cannot say. */
  readonly notes: readonly string[];
  readonly panels?: readonly Panel[];
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};

/** Of medians; undefined where there is nothing beside it, or nothing of it. */
export function ratioOf({ ours, other }: Row): number | undefined {
  const beside = median(other ?? []);
  // A runbook begins when a person knows what is wrong: of nothing there is no ratio.
  return beside > 0 ? median(ours) / beside : undefined;
}

/** Whether a row keeps to its goal; undefined where it has none. */
export function keepsGoal(row: Row): boolean | undefined {
  if (row.goal === undefined) return undefined;
  const value = row.goal.of === 'ratio' ? ratioOf(row) : median(row.ours);
  return value !== undefined && value <= row.goal.most;
}
