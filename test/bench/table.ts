import { type Goal, keepsGoal, median, type Row, ratioOf, type Unit } from './figures.ts';

const HEAD = ['', 'heal-node', 'other', 'ratio', 'goal', 'kept'] as const;
type Cells = readonly string[];

const amount = (value: number, unit: Unit): string =>
  unit === 'count' ? String(value) : `${value.toFixed(1)} ${unit}`;

const goalText = ({ of, most }: Goal, unit: Unit): string =>
  `≤ ${of === 'ratio' ? most.toFixed(2) : amount(most, unit)}`;

/** A row as it is read: medians of ours and of what stands beside it, their ratio, and whether the goal is kept. */
function cells(row: Row): Cells {
  const { what, unit, ours, other, goal } = row;
  const kept = keepsGoal(row);
  return [
    what,
    amount(median(ours), unit),
    other ? amount(median(other), unit) : '',
    ratioOf(row)?.toFixed(2) ?? '',
    goal ? goalText(goal, unit) : '',
    kept === undefined ? '' : kept ? 'yes' : 'no',
  ];
}

/** For a terminal. */
export function textTable(rows: readonly Row[]): string {
  const all = [
    HEAD,
    ...rows.map((row) => cells({ ...row, what: `${row.isDetail ? '    ' : ''}${row.what}` })),
  ];
  const widths = HEAD.map((_, at) => Math.max(...all.map((line) => line[at]?.length ?? 0)));
  return all
    .map((line) =>
      line.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))),
    )
    .map((line) => line.join('   ').trimEnd())
    .join('\n');
}

/** For a document. */
export function markdownTable(rows: readonly Row[]): string {
  const line = (all: Cells): string => `| ${all.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const body = rows.map((row) => cells({ ...row, what: row.isDetail ? `– ${row.what}` : `**${row.what}**` }));
  return [HEAD, ['---', ...HEAD.slice(1).map(() => '---:')], ...body].map(line).join('\n');
}
