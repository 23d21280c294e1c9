/**
 * Lines of code of what ships (`bin`, `hooks`, `src`), by folder and in all: without comments, blank lines and
 * imports. The limit is in test/scripts/count.test.ts.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const top = join(import.meta.dirname, '..');
const SHIPPED = '{bin,hooks,src}/**/*.ts';

/** How many lines of code a source text has. A comment behind code on its line does not count, nor against it. */
export const codeLines = (text: string): number =>
  text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^import\s[^;]*;/gm, '')
    .split('\n')
    .filter((line) => !/^\s*(\/\/|$)/.test(line)).length;

/** Lines of code of every folder that has files of its own, sorted by its path. */
export function linesByFolder(): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  for (const file of globSync(SHIPPED, { cwd: top }).sort()) {
    const folder = dirname(file);
    lines.set(folder, (lines.get(folder) ?? 0) + codeLines(readFileSync(join(top, file), 'utf8')));
  }
  return lines;
}

export const total = (lines: ReadonlyMap<string, number>): number =>
  [...lines.values()].reduce((sum, count) => sum + count, 0);

if (import.meta.main) {
  const lines = linesByFolder();
  for (const [folder, count] of [...lines, ['in all', total(lines)] as const])
    console.log(`${String(count).padStart(6)}  ${folder}`);
}
