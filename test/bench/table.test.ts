import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { keepsGoal, median, type Row, ratioOf } from './figures.ts';
import { markdownTable, textTable } from './table.ts';

const row = (more: Partial<Row>): Row => ({ what: 'heal', unit: 'ms', ours: [3, 1, 2], ...more });
/** The last line of a table for a terminal, without the gaps between its cells. */
const last = (rows: readonly Row[]): string[] => textTable(rows).split('\n').at(-1)?.split(/ {2,}/) ?? [];

test('a median is one of the values, and none of nothing', () => {
  assert.is(median([9, 1, 5]), 5);
  assert.is(median([4, 1]), 4);
  assert.ok(Number.isNaN(median([])));
});

test('a ratio is of medians, and there is none of nothing', () => {
  assert.is(ratioOf(row({ other: [4, 4, 400] })), 0.5);
  assert.is(ratioOf(row({})), undefined);
  assert.is(ratioOf(row({ other: [0, 0] })), undefined);
});

test('a goal is kept up to its very figure, and never by what was not measured', () => {
  const goal = { of: 'ratio', most: 0.5 } as const;
  assert.is(keepsGoal(row({ other: [4], goal })), true);
  assert.is(keepsGoal(row({ other: [3.9], goal })), false);
  assert.is(keepsGoal(row({ ours: [], other: [4], goal })), false);
  assert.is(keepsGoal(row({ goal })), false);
  assert.is(keepsGoal(row({ goal: { of: 'median', most: 2 } })), true);
  assert.is(keepsGoal(row({})), undefined);
});

test('a line has what was measured, with its unit, and whether its goal is kept', () => {
  const goal = { of: 'ratio', most: 1 } as const;
  assert.equal(last([row({ other: [4], goal })]), ['heal', '2.0 ms', '4.0 ms', '0.50', '≤ 1.00', 'yes']);
  assert.equal(last([row({ unit: 'MiB', isDetail: true })]), ['', 'heal', '2.0 MiB']);
});

test('the same as Markdown, whatever a name holds', () => {
  const lines = markdownTable([row({ what: 'a|b', other: [1] }), row({ isDetail: true })]).split('\n');
  assert.is(lines[2], '| **a\\|b** | 2.0 ms | 1.0 ms | 2.00 |  |  |');
  assert.is(lines[3], '| – heal | 2.0 ms |  |  |  |  |');
  assert.is(new Set(lines.map((line) => line.replaceAll('\\|', '').split('|').length)).size, 1);
});

test.run();
