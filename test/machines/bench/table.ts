import { say } from '../demo/lines.ts';

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};

export const row = (cells: readonly string[]): string =>
  cells.map((cell, i) => (i === 0 ? cell.padEnd(60) : cell.padStart(12))).join('');

/** A row of the table: medians of ours and of what stands beside it, and their ratio. */
export function tell(
  what: string,
  ours: readonly number[],
  other: readonly number[] | undefined,
  goal: string,
): void {
  const [a, b] = [median(ours), median(other ?? [])];
  // A runbook begins when a person knows what is wrong: of nothing there is no ratio.
  const ratio = b > 0 ? (a / b).toFixed(2) : '';
  const beside = other ? [`${b.toFixed(1)} ms`, ratio] : ['', ''];
  say(row([what, `${a.toFixed(1)} ms`, ...beside, goal]));
}
