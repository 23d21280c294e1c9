import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Found, Panel } from './figures.ts';
import { plot } from './plot.ts';
import { panelsOf, report, rowsOf } from './report.ts';
import { type Host, type Result, type Results, readResults, withResult, writeResults } from './results.ts';

const HOST: Host = {
  cores: 2,
  processor: 'a processor',
  memoryMiB: 24_576,
  kernel: '6.1',
  etcd: '3.4.23',
  systemd: '252',
};
const PARTS = [
  { name: 'heals', what: 'A heal', how: 'How it was done.' },
  { name: 'growth', what: 'Growth', how: 'By what.' },
];
const PANEL: Panel = {
  title: 'By members',
  x: 'members',
  isLog: false,
  series: [{ name: 'heal', points: [3, 9].map((x) => [x, x * 100] as const) }],
};
const found: Found = {
  rows: [{ what: 'heal', unit: 'ms', ours: [1], other: [2] }],
  notes: ['A note.'],
  panels: [PANEL],
};
const result = (more: Partial<Result>): Result => ({
  endedAt: '2026-01-02T03:04:05.000Z',
  tookMs: 65_000,
  words: 'npm run bench --',
  load: 0.4,
  ...more,
});
const none: Results = { commit: 'abc1234', host: HOST, parts: {} };

test('the document has the table, the host, and a paragraph for each part', () => {
  const results = withResult(none, 'heals', result({ found }));
  const text = report(PARTS, results, 'bench.svg');
  assert.match(text, /2026-01-02, commit abc1234/);
  assert.match(
    text,
    /2 cores \(a processor\), 24 GiB of memory, Linux 6\.1; .* etcd 3\.4\.23 and systemd 252/,
  );
  assert.match(text, /\| \*\*heal\*\* \| 1\.0 ms \| 2\.0 ms \| 0\.50 \|/);
  assert.match(text, /## A heal \(`heals`\)\n\nHow it was done\.\n\nBegun 2026-01-02 03:03 UTC/);
  assert.match(text, /- A note\./);
  assert.match(text, /## Growth \(`growth`\)\n\nBy what\.\n\nNot measured/);
  assert.match(text, /!\[[^\]]+\]\(bench\.svg\)/);
  assert.equal(rowsOf(PARTS, results), found.rows);
  assert.equal(panelsOf(PARTS, results), found.panels);
});

test('a part that failed says so, and a host that was busy is not kept quiet about', () => {
  const text = report(PARTS, withResult(none, 'heals', result({ failed: 'no luck', load: 7 })), undefined);
  assert.match(text, /\*\*It failed:\*\* no luck/);
  assert.match(text, /load of the host before it 7\.0, more than it has cores/);
  assert.not.match(text, /!\[/);
});

test('results of parts are kept for the same commit and machine, and for no other', () => {
  const dir = mkdtempSync(join(tmpdir(), 'bench-'));
  try {
    const path = join(dir, 'dist/bench.json');
    assert.equal(readResults(path, 'abc1234', HOST), none);
    const first = withResult(none, 'heals', result({ found }));
    writeResults(path, first);
    assert.equal(readResults(path, 'abc1234', HOST), first);
    const both = withResult(first, 'growth', result({}));
    assert.equal(Object.keys(both.parts), ['heals', 'growth']);
    assert.equal(readResults(path, 'other', HOST).parts, {});
    assert.equal(readResults(path, 'abc1234', { ...HOST, cores: 4 }).parts, {});
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('the plot is one SVG with every panel', () => {
  const panels = [PANEL, { ...PANEL, title: 'By keys', x: 'keys', isLog: true }];
  const svg = plot(panels);
  assert.match(svg, /^<svg [^>]*width="720"/);
  for (const text of ['By members, ms', 'By keys, ms', 'heal'])
    assert.ok(svg.includes(`>${text}</text>`), text);
});

test.run();
