import type { Result } from './run-job.ts';

const SLOWEST = 10;
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const indented = (text: string): string => text.replace(/^/gm, '     ');

/** One line a job; what a failed one printed, and the table of one that passed. */
export function tell({ job, failed, tookMs, output }: Result): void {
  console.log(`${failed === 0 ? 'ok  ' : 'FAIL'} ${job.title} (${seconds(tookMs)})`);
  if (output.trim() !== '') console.log(failed === 0 ? indented(output) : output);
}

/** The end of a run. The last line is `N passed, N failed`. */
export function tellTotal(results: readonly Result[], wholeMs: number): void {
  const slowest = [...results].sort((a, b) => b.tookMs - a.tookMs).slice(0, SLOWEST);
  console.log(`\nThe ${slowest.length} slowest:`);
  for (const { job, tookMs } of slowest) console.log(`${seconds(tookMs).padStart(9)}  ${job.title}`);
  const failed = results.filter((result) => result.failed > 0);
  if (failed.length > 0) console.log(`\nFailed:\n${failed.map(({ job }) => `  ${job.title}`).join('\n')}`);
  console.log(`\nIn all: ${seconds(wholeMs)}`);
  const sum = (of: 'passed' | 'failed'): number => results.reduce((all, result) => all + result[of], 0);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
}
