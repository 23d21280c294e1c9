/**
 * Speed as ratios, measured side by side: `npm run bench -- [--only PART,…]`. Prints one table, and writes
 * bench.md and bench.svg in docs/, from all parts that were run with this commit on this machine; fails nothing by its figures.
 */
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { type Options, parseOptions, usage } from '../../bench/options.ts';
import { plot } from '../../bench/plot.ts';
import { panelsOf, report, rowsOf } from '../../bench/report.ts';
import { type Result, type Results, readResults, withResult, writeResults } from '../../bench/results.ts';
import { textTable } from '../../bench/table.ts';
import { whyNoMachines } from '../bed/host.ts';
import { head, say } from '../demo/lines.ts';
import { commitHere, hostFacts } from './host-facts.ts';
import type { Part } from './part.ts';
import { parts } from './parts.ts';

const TOP = join(import.meta.dirname, '../../..');
const RESULTS = join(TOP, 'dist/bench.json');
const DOCS = join(TOP, 'docs');
const PLOT = 'bench.svg';

/** A part that fails says so in its place, and keeps no other from being run. */
async function resultOf(part: Part, options: Options): Promise<Result> {
  const beganMs = Date.now();
  const words = ['npm run bench --', ...process.argv.slice(2)].join(' ');
  const [load = 0] = loadavg();
  const ended = await part.run(options).then(
    (found) => ({ found }),
    (error: Error) => ({ failed: error.message }),
  );
  if ('failed' in ended) say(`${part.name} failed: ${ended.failed}`);
  const endedMs = Date.now();
  return { endedAt: new Date(endedMs).toISOString(), tookMs: endedMs - beganMs, words, load, ...ended };
}

function writeDocs(results: Results): void {
  const panels = panelsOf(parts, results);
  if (panels.length > 0) writeFileSync(join(DOCS, PLOT), plot(panels));
  writeFileSync(join(DOCS, 'bench.md'), report(parts, results, panels.length > 0 ? PLOT : undefined));
}

async function main(): Promise<number> {
  const names = parts.map(({ name }) => name);
  let options: Options;
  try {
    options = parseOptions(process.argv.slice(2), names);
  } catch (error) {
    console.error(`bench: ${(error as Error).message}\n${usage(names)}`);
    return 2;
  }
  const why = whyNoMachines();
  if (why !== undefined) {
    console.error(`The bench cannot make its machines. ${why}`);
    return 2;
  }
  let results = readResults(RESULTS, await commitHere(), await hostFacts(say));
  const asked = options.reportOnly ? [] : parts.filter(({ name }) => options.parts.includes(name));
  for (const part of asked) {
    head(`${part.name}: ${part.what} (some ${part.minutes} minutes)`);
    results = withResult(results, part.name, await resultOf(part, options));
    writeResults(RESULTS, results);
  }
  writeDocs(results);
  head('Medians of all parts that were run with this commit on this machine');
  say(textTable(rowsOf(parts, results)));
  return asked.some(({ name }) => results.parts[name]?.failed !== undefined) ? 1 : 0;
}

main().then(
  (code) => process.exit(code),
  (error: Error) => {
    console.error(`The bench failed: ${error.message}`);
    process.exit(1);
  },
);
