import type { Case } from './sweep.ts';

/** A line without what differs from one run to the next. */
const shape = (line: string): string =>
  line
    .replace(/"ts":"[^"]*"|^\d{4}-\d\d-\d\d \S+/, '')
    .replace(/0x[0-9a-f]+|\b[0-9a-f]{8,}\b|-?\d+/g, 'N')
    .replace(/\{N N\}/g, 'N');

/** With what words etcd ended, one line of each kind as it was printed, and on what damage. */
export function lastWords(cases: readonly Case[]): { line: string; damages: string[] }[] {
  const kinds = Map.groupBy(
    cases.filter(({ lastWords: [line] }) => line !== undefined),
    ({ lastWords: [line = ''] }) => shape(line),
  );
  return [...kinds.values()]
    .sort((a, b) => b.length - a.length)
    .map((of) => ({
      line: of[0]?.lastWords[0] ?? '',
      damages: [...new Set(of.map(({ damage }) => damage))].sort(),
    }));
}
