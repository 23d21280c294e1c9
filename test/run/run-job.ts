import { writeFileSync } from 'node:fs';
import { execa } from 'execa';
import { endProcess } from '../machines/bed/sh.ts';
import { sweepLeftovers } from '../machines/bed/sweep.ts';
import { type Job, TOP } from './jobs.ts';

export interface Result {
  readonly job: Job;
  readonly passed: number;
  readonly failed: number;
  readonly tookMs: number;
  /** What it printed; of a test file that passed, only what it tells beside the counts. */
  readonly output: string;
}

/** What uvu prints at the end of a file: `Total:`, `Passed:`, `Skipped:`. */
function counts(output: string): { total: number; passed: number } | undefined {
  const read = (label: string): number | undefined => {
    const found = [...output.matchAll(new RegExp(`^\\s*${label}:\\s+(\\d+)$`, 'gm'))].at(-1)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const [total, passed] = [read('Total'), read('Passed')];
  return total === undefined || passed === undefined ? undefined : { total, passed };
}

/** A passing file's own lines: its table, its figures. */
const withoutCounts = (output: string): string =>
  output
    .split('\n')
    .filter(
      (line) => !/^\s*(Total|Passed|Skipped|Duration):/.test(line) && !/[•✘] *\(\d+ \/ \d+\)$/.test(line),
    )
    .map((line) => line.replace(/^([^•✘]*(• )+)/, ''))
    .join('\n');

/** A job is a session of its own, and between sessions the kernel goes by the niceness of each (sched(7), autogroup). */
function yieldGroup(pid: number | undefined, niceness: number): void {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(niceness));
  } catch {
    // A kernel without groups goes by the niceness of the process alone.
  }
}

/**
 * Jobs run side by side on all cores: threads of each for its garbage, and for compiling once more what is compiled
 * already, take a fifth more time of all of them. Read by the runtime of the tests (JavaScriptCore's OptionsList.h).
 */
const FEW_THREADS = { BUN_JSC_numberOfGCMarkers: '1', BUN_JSC_useFTLJIT: '0' };

/**
 * A job that is ended with this process, however that ends: nothing else ends one with a process group of its own. The
 * programs that it is started through become the job (setpriv(1), nice(1)).
 */
const withUs = ['--pdeathsig', 'KILL'];

/** @param niceness added to the job's: the higher, the more it lets others go first */
export async function runJob(job: Job, niceness: number): Promise<Result> {
  const beganMs = Date.now();
  const child = execa('setpriv', [...withUs, 'nice', '-n', String(niceness), ...job.argv], {
    cwd: TOP,
    all: true,
    reject: false,
    stdin: 'ignore',
    // A process group of its own, which can be ended as a whole.
    detached: true,
    env: { NO_COLOR: '1', FORCE_COLOR: '0', ...FEW_THREADS },
  });
  if (niceness > 0) yieldGroup(child.pid, niceness);
  let overdue = false;
  const limit = setTimeout(() => {
    overdue = true;
    if (child.pid !== undefined) endProcess(-child.pid);
  }, job.limitMs);
  const { exitCode, all: output = '' } = await child;
  clearTimeout(limit);
  const tookMs = Date.now() - beganMs;
  // Machines are in no process group of ours; their bed's lock has gone with the job.
  const left = overdue ? await sweepLeftovers() : '';
  const failure = (why: string): Result => ({
    job,
    passed: counts(output)?.passed ?? 0,
    failed: Math.max(1, (counts(output)?.total ?? 0) - (counts(output)?.passed ?? 0)),
    tookMs,
    output: `${output}\n${job.title}: ${why}`,
  });
  if (overdue)
    return failure(
      `it did not end within ${job.limitMs / 1000} s and was ended, with all that it had started.\n${left}`,
    );
  if (exitCode !== 0) return failure(`exit ${exitCode ?? 'by a signal'}.`);
  if (!job.isTestFile) return { job, passed: 1, failed: 0, tookMs, output: '' };
  const told = counts(output);
  if (told === undefined || told.total === 0) return failure('it ran no test; does it call test.run()?');
  if (told.passed < told.total) return failure('not all of its tests passed, although its exit code is 0.');
  return { job, passed: told.passed, failed: 0, tookMs, output: withoutCounts(output).trim() };
}
