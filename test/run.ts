/**
 * Everything that `npm test` runs: types, lint, build, unit tests, scenarios on real machines. First what the others
 * need; then the machines in lanes, the longest scenario first, and beside them the unit tests at low priority. The
 * last line is `N passed, N failed`. Nothing is left out unless asked (`--only`, `--without`); what cannot run here
 * fails with the reason.
 */

import { writeFileSync } from 'node:fs';
import { baseRoot } from './machines/bed/base-root.ts';
import { whyNoMachines } from './machines/bed/host.ts';
import { sweepLeftovers } from './machines/bed/sweep.ts';
import { runningMs } from './run/began.ts';
import { allJobs, type Job, remembered, rememberedPath } from './run/jobs.ts';
import { lanesHere } from './run/lanes.ts';
import { chosen, type Options, parseOptions, USAGE } from './run/options.ts';
import { tell, tellTotal } from './run/report.ts';
import { type Result, runJob } from './run/run-job.ts';

/** Added to the niceness of what runs beside the machines. */
const BESIDE = 10;

const results: Result[] = [];

async function run(job: Job, niceness = 0): Promise<void> {
  const result = await runJob(job, niceness);
  results.push(result);
  tell(result);
}

/** Takes jobs from the front of the list until there is none left. */
async function lane(jobs: Job[], niceness = 0): Promise<void> {
  for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) await run(job, niceness);
}

async function runAll(jobs: readonly Job[], lanes: number): Promise<void> {
  const of = (...parts: readonly Job['part'][]): Job[] => jobs.filter(({ part }) => parts.includes(part));
  const [build, unit, machines] = [of('build'), of('unit'), of('machines')];
  const bedIsMade =
    machines.length > 0 && whyNoMachines() === undefined
      ? sweepLeftovers().then(() => baseRoot(console.log))
      : Promise.resolve();
  await lane(build);
  const checks = [...of('types', 'lint'), ...unit];
  // Two, as one long file alone at the end of a run would use one core of two.
  const beside = Array.from({ length: 2 }, () => lane(checks, machines.length > 0 ? BESIDE : 0));
  // Where the root cannot be made, each scenario says why.
  await bedIsMade.catch(() => undefined);
  // A lane that finds no machines to boot any more helps with the rest.
  const both = async (): Promise<void> => {
    await lane(machines);
    await lane(checks);
  };
  await Promise.all([...beside, ...Array.from({ length: lanes }, both)]);
}

function remember(): void {
  const measured = results.map(({ job, tookMs }) => [job.title, Math.ceil(tookMs / 1000)] as const);
  const sorted = Object.entries({ ...remembered, ...Object.fromEntries(measured) }).sort(([a], [b]) =>
    a.localeCompare(b),
  );
  writeFileSync(rememberedPath, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`);
}

async function main(): Promise<number> {
  const jobs = allJobs();
  let options: Options;
  try {
    options = parseOptions(process.argv.slice(2), jobs);
  } catch (error) {
    console.error(`test: ${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  const asked = chosen(jobs, options);
  if (asked.length < jobs.length)
    console.log(`left out as asked: ${jobs.length - asked.length} of ${jobs.length}`);
  await runAll(asked, options.lanes ?? (await lanesHere(console.log)));
  if (options.remember) remember();
  tellTotal(results, runningMs());
  const failed = results.some((result) => result.failed > 0);
  return !failed && results.length > 0 ? 0 : 1;
}

process.exit(await main());
