/** The alert rules and the dashboard of `monitoring`, and that both ask for metrics that exist. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import table from '../../src/report/metrics.json';
import { promtool } from './promtool.ts';

const file = (name: string): string => join(import.meta.dirname, '../../monitoring', name);
const textOf = (name: string): string => readFileSync(file(name), 'utf8');

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { expr: string }[] }[];
  readonly templating: { readonly list: readonly { readonly query: string | { query: string } }[] };
}
const dashboard = JSON.parse(textOf('dashboard.json')) as Dashboard;
const queries = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));

const named = (text: string): string[] => [...new Set(text.match(/\bheal_node_\w+/g))].sort();
const unknown = (text: string): string[] => named(text).filter((name) => !(name in table));

/** The labels that a query asks for, of each metric. */
const labelsAskedFor = (text: string): [string, string][] =>
  [...text.matchAll(/\b(heal_node_\w+)\{([^}]*)\}/g)].flatMap(([, name = '', matchers = '']) =>
    [...matchers.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)].map(([, label = '']): [string, string] => [name, label]),
  );
const OF_THE_SCRAPE = ['cluster', 'instance', 'job'];

test('every rule can be read', async () => {
  assert.match(await promtool(['check', 'rules', file('alerts.yaml')]), /SUCCESS: 11 rules found/);
});

test('every rule speaks and is silent as its test says', async () => {
  await promtool(['test', 'rules', file('alerts.test.yaml')]);
  const tested = textOf('alerts.test.yaml');
  for (const [, alert = ''] of textOf('alerts.yaml').matchAll(/- alert: (\w+)/g))
    assert.match(tested, new RegExp(`alertname: ${alert}\n.*\n *exp_alerts`), alert);
});

test('every query of the dashboard can be read', async () => {
  assert.ok(queries.length > 10, `${queries.length} queries`);
  const rules = queries.map((expr, at) => ({ record: `query:${at}`, expr: expr.replaceAll('$', '') }));
  const dir = mkdtempSync(join(tmpdir(), 'heal-node-dashboard-'));
  try {
    // JSON is YAML too.
    writeFileSync(join(dir, 'rules.yaml'), JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
    await promtool(['check', 'rules', join(dir, 'rules.yaml')]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('rules and dashboard ask for metrics and labels that exist', () => {
  const variables = dashboard.templating.list.map(({ query }) => JSON.stringify(query));
  for (const text of [textOf('alerts.yaml'), textOf('alerts.test.yaml'), ...queries, ...variables]) {
    assert.equal(unknown(text), []);
    for (const [name, label] of labelsAskedFor(text))
      assert.ok(
        [...OF_THE_SCRAPE, table[name as keyof typeof table].label].includes(label),
        `${name} has no label ${label}`,
      );
  }
  assert.equal(unknown('sum(heal_node_gone{x="y"})'), ['heal_node_gone'], 'one that does not exist is found');
});

test('every metric is on the dashboard', () => {
  const shown = named(queries.join('\n'));
  assert.equal(
    Object.keys(table).filter((name) => !shown.includes(name)),
    [],
  );
});

test.run();
