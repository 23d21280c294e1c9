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
function textTable(head: Cells, rows: readonly Cells[]): string {
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

/** The lines of a table of Markdown; columns of seconds stand to the right. */
const markdownTable = (head: Cells, rows: readonly Cells[]): string[] => [
  `| ${head.join(' | ')} |`,
  `|${head.map((name) => (name.startsWith('seconds') ? ' ---: ' : ' --- ')).join('|')}|`,
  ...rows.map((row) => `| ${row.join(' | ')} |`),
];

export const asText = (lines: readonly Line[]): string => textTable(HEAD, lines.map(cells));

export const asMarkdown = (lines: readonly Line[], day: string): string =>
  [
    '# Every kind of cluster, every failure',
    '',
    `Told on real machines on ${day}, by \`npm run kinds -- --markdown docs/kinds.md\`. *Seconds* run from the power-on of`,
    "the machine (or the start of etcd) that has failed to the outcome, on a host with two cores and AppCenter's clock at",
    '60 times its speed. What each outcome must show besides stands in [testing.md](testing.md).',
    '',
    ...markdownTable(HEAD, lines.map(cells)),
    '',
  ].join('\n');
