import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const TOP = join(import.meta.dirname, '../..');
const bin = (name: string): string => join(TOP, 'node_modules/.bin', name);

export const PARTS = ['types', 'lint', 'build', 'unit', 'machines'] as const;
type Part = (typeof PARTS)[number];

/** One thing that `npm test` runs: a program of its own, or a test file. */
export interface Job {
  readonly part: Part;
  /** A test file's path from the top, or the part's name. */
  readonly title: string;
  readonly argv: readonly string[];
  /** A test file says how many tests it ran; one that does not has failed. */
  readonly isTestFile: boolean;
  /** After this it is ended, with every process that it has started, and has failed. */
  readonly limitMs: number;
  /** As remembered; the longest are begun first. */
  readonly expectedMs: number;
}

const REMEMBERED = join(import.meta.dirname, 'durations.json');
/** For a file that nobody has measured yet: it is begun early. */
const UNKNOWN_MS = 60_000;
const LEAST_LIMIT_MS = 300_000;
/** A machine with everything else at work on it may be that much slower than the one that was measured. */
const LIMIT_FACTOR = 10;

/** Seconds by title, as measured in a whole run: `npm test -- --remember` writes them. */
export const remembered = JSON.parse(readFileSync(REMEMBERED, 'utf8')) as Record<string, number>;
export const rememberedPath = REMEMBERED;

function job(part: Part, title: string, argv: readonly string[], isTestFile: boolean): Job {
  const seconds = remembered[title];
  const expectedMs = seconds === undefined ? UNKNOWN_MS : seconds * 1000;
  const limitMs = Math.max(LEAST_LIMIT_MS, expectedMs * LIMIT_FACTOR);
  return { part, title, argv, isTestFile, limitMs, expectedMs };
}

const testFiles = (): string[] =>
  readdirSync(join(TOP, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join('test', name));

/** Everything that `npm test` runs, the longest first within each part. */
export function allJobs(): Job[] {
  const files = testFiles().map((file) =>
    job(
      file.startsWith('test/machines/') ? 'machines' : 'unit',
      file,
      [process.execPath, join(TOP, file)],
      true,
    ),
  );
  return [
    job('types', 'types', [bin('tsc'), '-p', TOP], false),
    job('lint', 'lint and format', [bin('biome'), 'ci', '--colors=off', TOP], false),
    job('lint', 'nothing unused', [bin('knip'), '--directory', TOP], false),
    job('build', 'build', [process.execPath, join(TOP, 'scripts/build.ts')], false),
    ...files.sort((a, b) => b.expectedMs - a.expectedMs || a.title.localeCompare(b.title)),
  ];
}
