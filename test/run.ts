/**
 * Everything that `npm test` runs, in order: types, lint, build, unit tests, scenarios on real machines. The last
 * line is `N passed, N failed`. `--without machines` leaves a part out by name; nothing is left out otherwise,
 * and a part that cannot run here fails with the reason.
 */

import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { execa } from 'execa';

const top = join(import.meta.dirname, '..');
const bun = process.execPath;
const bin = (name: string): string => join(top, 'node_modules/.bin', name);

const testFiles = (dir: string): string[] =>
  readdirSync(join(top, dir), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(dir, name))
    .sort();

const machineFiles = testFiles('test/machines');
const unitFiles = testFiles('test').filter((file) => !machineFiles.includes(file));

interface Job {
  readonly title: string;
  readonly argv: readonly string[];
}

const parts: Readonly<Record<string, readonly Job[]>> = {
  types: [{ title: 'types', argv: [bin('tsc'), '-p', top] }],
  lint: [{ title: 'lint and format', argv: [bin('biome'), 'ci', '--colors=off', top] }],
  build: [{ title: 'build', argv: [bun, join(top, 'scripts/build.ts')] }],
  unit: unitFiles.map((file) => ({ title: file, argv: [bun, join(top, file)] })),
  machines: machineFiles.map((file) => ({ title: file, argv: [bun, join(top, file)] })),
};

const words = process.argv.slice(2);
const without = words.flatMap((word, i) => (words[i - 1] === '--without' ? [word] : []));
const unknown = words.find(
  (word, i) => word !== '--without' && (words[i - 1] !== '--without' || !(word in parts)),
);
if (unknown !== undefined || words.at(-1) === '--without') {
  console.error(
    `test: ${unknown ?? '--without'} is not understood; allowed is --without with one of ${Object.keys(parts).join(', ')}.`,
  );
  process.exit(2);
}

/** uvu prints `Total:`, `Passed:`, `Skipped:`; any other job is one test by its exit code. */
function counts(output: string, ok: boolean): { passed: number; failed: number } {
  const read = (label: string): number =>
    Number(new RegExp(`^\\s*${label}:\\s+(\\d+)`, 'm').exec(output)?.[1] ?? Number.NaN);
  const [total, passed] = [read('Total'), read('Passed')];
  if (!Number.isNaN(total)) return { passed, failed: Math.max(total - passed, ok ? 0 : 1) };
  return ok ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

let [passed, failed] = [0, 0];
for (const [part, jobs] of Object.entries(parts)) {
  if (without.includes(part)) {
    console.log(`left out as asked: ${part}`);
    continue;
  }
  for (const { title, argv } of jobs) {
    const [program = '', ...rest] = argv;
    const beganMs = Date.now();
    const { exitCode, all } = await execa(program, rest, {
      cwd: top,
      all: true,
      reject: false,
      stdin: 'ignore',
      timeout: 1_500_000,
      env: { NO_COLOR: '1', FORCE_COLOR: '0' },
    });
    const ok = exitCode === 0;
    const result = counts(all, ok);
    passed += result.passed;
    failed += result.failed;
    console.log(
      `${ok ? 'ok  ' : 'FAIL'} ${relative(top, join(top, title))} (${((Date.now() - beganMs) / 1000).toFixed(1)} s)`,
    );
    if (!ok) console.log(all);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
