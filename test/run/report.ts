import type { Result } from './run-job.ts';

const SLOWEST = 10;
/** Of the failed tests of one file. */
const MOST_TOLD = 3;
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const indented = (text: string): string => text.replace(/^/gm, '     ');

/** One line a job; what a failed one printed, and the table of one that passed. */
export function tell({ job, failed, tookMs, output }: Result): void {
  console.log(`${failed === 0 ? 'ok  ' : 'FAIL'} ${job.title} (${seconds(tookMs)})`);
  if (output.trim() !== '') console.log(failed === 0 ? indented(output) : output);
}

/** What uvu says of the tests that failed (`FAIL "…"` and what follows), else the last lines. */
function why(output: string): string {
  const told = [...output.matchAll(/^ *FAIL +".*(?:\n.*\S.*){0,8}/gm)].map(([text]) => text);
  return told.length > 0
    ? told.slice(0, MOST_TOLD).join('\n')
    : output.trimEnd().split('\n').slice(-8).join('\n');
}

/** The end of a run. The last line is `N passed, N failed`. */
export function tellTotal(results: readonly Result[], wholeMs: number): void {
  const slowest = [...results].sort((a, b) => b.tookMs - a.tookMs).slice(0, SLOWEST);
  console.log(`\nThe ${slowest.length} slowest:`);
  for (const { job, tookMs } of slowest) console.log(`${seconds(tookMs).padStart(9)}  ${job.title}`);
  const failed = results.filter((result) => result.failed > 0);
  // Said again at the end: what comes before it fills many screens.
  for (const [at, { job, output }] of failed.entries())
    console.log(`${at === 0 ? '\nFailed:\n' : ''}  ${job.title}\n${indented(why(output))}`);
  console.log(`\nIn all: ${seconds(wholeMs)}`);
  const sum = (of: 'passed' | 'failed'): number => results.reduce((all, result) => all + result[of], 0);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
}
