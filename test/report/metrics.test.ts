import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { version } from '../../package.json';
import { METRICS_DOC, metricsDoc } from '../../scripts/metrics-doc.ts';
import { situationOf } from '../../src/diagnose/situation.ts';
import { observe } from '../../src/observe/observe.ts';
import { metricsText } from '../../src/report/metrics.ts';
import { healRecordFile, newRecord } from '../../src/state/heal-record.ts';
import { PLACES } from '../fake/observation.ts';
import { ThreeMembers } from '../fake/three-members.ts';
import { promtool } from '../monitoring/promtool.ts';

const test = suite('metrics');

const textOf = (fake: ThreeMembers): string =>
  fake.run(async (world) => metricsText(world.machine, PLACES, situationOf(await observe(world), PLACES)));
const healthy = textOf(new ThreeMembers('none'));

/** The value of a series as it is printed. */
const value = (text: string, series: string): number => {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  assert.ok(line, `${series} in ${text}`);
  return Number(line.split(' ').at(-1));
};

test('docs/metrics.md is what the table says (`npm run docs` writes it)', () => {
  assert.is(readFileSync(METRICS_DOC, 'utf8'), metricsDoc());
});

test('promtool finds nothing wrong with them, healthy, stale and in TLS mode', async () => {
  const stale = textOf(new ThreeMembers('WAL gone'));
  const tls = textOf(new ThreeMembers('none', {}, 3, true));
  const lost = textOf(new ThreeMembers('volume lost', {}, 3, true));
  for (const text of [healthy, stale, tls, lost]) assert.is(await promtool(['check', 'metrics'], text), '');
  assert.is(value(stale, 'heal_node_verdict{verdict="stale"}'), 1);
});

test('promtool would find a name against the conventions', async () => {
  const wrong = healthy.replaceAll('heal_node_heals_total', 'heal_node_heals');
  let said = '';
  await promtool(['check', 'metrics'], wrong).catch((error: Error) => {
    said = error.message;
  });
  assert.match(said, /heal_node_heals counter metrics should have "_total" suffix/);
});

test('of a healthy member', () => {
  assert.is(value(healthy, `heal_node_build_info{version="${version}"}`), 1);
  assert.is(value(healthy, 'heal_node_verdict{verdict="healthy"}'), 1);
  assert.is(value(healthy, 'heal_node_members'), 3);
  assert.is(value(healthy, 'heal_node_failure_tolerance'), 1);
  assert.is(value(healthy, 'heal_node_unfinished_heal_start_timestamp_seconds'), 0);
  assert.is(value(healthy, 'heal_node_heals_total{outcome="healed"}'), 0);
});

test('every heal counts, and the last of each outcome has its time', () => {
  const fake = new ThreeMembers('WAL gone');
  assert.is(fake.heal('operator')?.outcome, 'healed');
  const once = textOf(fake);
  assert.is(value(once, 'heal_node_heals_total{outcome="healed"}'), 1);
  assert.is(value(once, 'heal_node_heals_total{outcome="refused"}'), 0);
  const endedSec = value(once, 'heal_node_last_heal_timestamp_seconds{outcome="healed"}');
  const lookedSec = value(once, 'heal_node_last_look_timestamp_seconds');
  assert.ok(lookedSec - endedSec >= 0 && lookedSec - endedSec < 60, `${endedSec}, ${lookedSec}`);
  // Runs that have nothing to do are no heals, and take nothing away.
  assert.is(fake.resume()?.outcome, 'nothing');
  assert.is(value(textOf(fake), 'heal_node_heals_total{outcome="healed"}'), 1);
});

test('of a heal that is not finished: since when, and its last step', () => {
  const fake = new ThreeMembers('none');
  const began = newRecord(1_700_000_000_000, 'operator', 'stale/removed');
  const steps = ['fence', 'set-aside'].map((id) => ({ id, startedAt: began.startedAt }));
  fake.run(({ machine }) => healRecordFile.write(machine, PLACES.journal, { ...began, steps }));
  const text = textOf(fake);
  assert.is(value(text, 'heal_node_unfinished_heal_start_timestamp_seconds'), 1_700_000_000);
  assert.is(value(text, 'heal_node_unfinished_heal_step{step="set-aside"}'), 1);
  assert.is(value(text, 'heal_node_unfinished_heal_step{step="fence"}'), 0);
});

test('certificates: when each ends, and none without TLS', () => {
  assert.not.match(healthy, /^heal_node_certificate_expiry_timestamp_seconds\{/m);
  const text = textOf(new ThreeMembers('none', {}, 3, true));
  for (const setting of ['ETCD_CERT_FILE', 'ETCD_PEER_CERT_FILE', 'client']) {
    const endsSec = value(text, `heal_node_certificate_expiry_timestamp_seconds{certificate="${setting}"}`);
    assert.is(new Date(endsSec * 1000).getUTCFullYear(), 2125, setting);
  }
});

test.run();
