import type { Row } from './row.ts';
import type { Told } from './tell-row.ts';

export interface Line extends Told {
  readonly row: Row;
  /** Of etcd and systemd, where it was told. */
  readonly versions: string;
  /** What was otherwise than expected; undefined when nothing was. */
  readonly wrong: string | undefined;
}

const HEAD = ['cluster', 'failure', 'on', 'outcome', 'seconds', 'as expected', 'etcd, systemd'] as const;

function cells({ row, outcome, tookMs, versions, wrong }: Line): readonly string[] {
  const { kind, failure, on, dead = [] } = row;
  const where = `${on.map((sid) => `etcd${sid}`).join(' ') || 'all'}${dead.map((sid) => `; etcd${sid} dead`).join('')}`;
  const seconds = wrong === undefined ? (tookMs / 1000).toFixed(1) : '';
  return [kind.name, failure.name, where, outcome, seconds, wrong === undefined ? 'yes' : 'NO', versions];
}

export const oneLine = (line: Line): string =>
  `${cells(line).slice(0, 6).join(' | ')}${line.wrong === undefined ? '' : `: ${line.wrong.replaceAll(/\s+/g, ' ')}`}`;

type Cells = readonly string[];

/** A table for a terminal. */
export function textTable(head: Cells, rows: readonly Cells[]): string {
  const table = [head, ...rows];
  const widths = head.map((_, at) => Math.max(...table.map((row) => row[at]?.length ?? 0)));
  return table
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const asRow = (texts: Cells): string => `| ${texts.join(' | ')} |`;

/** The lines of a table of Markdown; columns of seconds stand to the right. */
export const markdownTable = (head: Cells, rows: readonly Cells[]): string[] => [
  asRow(head),
  `|${head.map((name) => (name.startsWith('seconds') ? ' ---: ' : ' --- ')).join('|')}|`,
  ...rows.map(asRow),
];

export const asText = (lines: readonly Line[]): string => textTable(HEAD, lines.map(cells));

/** Which row of the table a line of the file is. */
const keyOf = (line: string): string => line.split(' | ').slice(0, 3).join(' | ');

/**
 * The table as a page: lines that were told now in place of those of the same rows, in the order of all rows; a line of
 * a row that is no more goes.
 *
 * @param before the page as it was; empty when there was none
 */
export function asMarkdown(lines: readonly Line[], all: readonly Row[], day: string, before: string): string {
  const known = before.split('\n').filter((line) => line.startsWith('| '));
  const told = lines.map((line) => asRow([...cells(line), day]));
  const byKey = new Map([...known, ...told].map((line) => [keyOf(line), line]));
  const rows = all.map((row) =>
    byKey.get(keyOf(asRow(cells({ row, outcome: '', tookMs: 0, versions: '', wrong: undefined })))),
  );
  return [
    '# Every kind of cluster, every failure',
    '',
    'Told on real machines by `npm run kinds -- --markdown docs/kinds.md`. *Seconds* run from the power-on of the machine',
    "(or the start of etcd) that has failed to the outcome, on a host with two cores that others used, too, and AppCenter's",
    'clock at 60 times its speed. What each outcome must show besides stands in [testing.md](testing.md).',
    '',
    ...markdownTable([...HEAD, 'day'], []),
    ...rows.filter((row) => row !== undefined),
    '',
    '**Not here**: a clock that is minutes off, as all machines have the clock of their host (the simulation sets them apart,',
    '`test/sim/faults.ts`); a machine that others load; systemd before 247. The app switching TLS while a',
    'heal is under way is told in [verbs.md](verbs.md).',
    '',
  ].join('\n');
}
