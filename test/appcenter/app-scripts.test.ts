/** The scripts of `appcenter/bin`, run as AppCenter runs them; like them it needs jq. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { situationOf } from '../../src/diagnose/situation.ts';
import { observe } from '../../src/observe/observe.ts';
import { metricsText } from '../../src/report/metrics.ts';
import { EXECUTABLE } from '../../src/state/places.ts';
import { PLACES } from '../fake/observation.ts';
import { ThreeMembers } from '../fake/three-members.ts';
import { APP, appPackage, BUILT, disjoint, type Item, text } from './app-package.ts';

const { en, zh, role } = appPackage();
const { items } = role.monitor;

const test = suite<{ dir: string }>('the scripts of the app');
test.before.each((context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'heal-node-app-'));
});
test.after.each(({ dir }) => rmSync(dir, { recursive: true }));

// The scripts, on a node of their own: every path that they name is below a directory of the test.

const put = (path: string, content: string, mode = 0o755): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  chmodSync(path, mode);
};

interface Node {
  /** What stands for `heal-node`, `ctl.sh` and `ssh`: shell, or nothing. */
  readonly healNode?: string;
  readonly measure?: string;
  readonly ssh?: string;
  readonly view?: string;
  readonly prom?: string;
  readonly promAgeMin?: number;
}

const VIEW = 'MY_ROLE=etcd-node\nMY_SID=2\nMY_IP=10.0.0.2\nSTABLE_NODES="1=10.0.0.1 2=10.0.0.2 3=10.0.0.3"\n';

/** Runs a script of `appcenter/bin` as AppCenter does: a bare environment, no terminal. */
async function run(dir: string, name: string, node: Node, words: readonly string[] = []) {
  const { healNode, measure, ssh, view = VIEW, prom, promAgeMin = 0 } = node;
  const script = text(`bin/${name}`)
    .replaceAll(/\/(opt|var)\//g, `${dir}/$1/`)
    .replace(/^export PATH=/m, `export PATH=${dir}/bin:`);
  put(join(dir, name), script);
  put(join(dir, 'opt/app/bin/.env'), view, 0o644);
  if (healNode !== undefined) put(join(dir, EXECUTABLE), `#!/bin/sh\n${healNode}\n`);
  if (measure !== undefined)
    put(join(dir, 'opt/app/bin/ctl.sh'), `#!/bin/sh\n[ "$1" = measure ] || exit 9\n${measure}\n`);
  put(join(dir, 'bin', 'ssh'), `#!/bin/sh\n${ssh ?? 'exit 255'}\n`);
  if (prom !== undefined) {
    const path = join(dir, 'var/lib/heal-node/heal-node.prom');
    put(path, prom, 0o644);
    const changed = new Date(Date.now() - promAgeMin * 60_000);
    utimesSync(path, changed, changed);
  }
  const began = performance.now();
  const ended = await execa(join(dir, name), words, {
    extendEnv: false,
    env: { HEAL_STATE_DIR: join(dir, 'state') },
    reject: false,
    stdin: 'ignore',
  });
  return { ...ended, tookMs: performance.now() - began };
}

const metricsOf = (fake: ThreeMembers): string =>
  fake.run(async (world) => metricsText(world.machine, PLACES, situationOf(await observe(world), PLACES)));
const healthy = metricsOf(new ThreeMembers('none'));
const stale = healthy
  .replace('verdict="healthy"} 1', 'verdict="healthy"} 0')
  .replace('verdict="stale"} 0', 'verdict="stale"} 1')
  .replace(/^heal_node_failure_tolerance .*/m, 'heal_node_failure_tolerance 0');
const MEASURED = `echo '{"etcd_server_has_leader":1,"process_resident_memory_bytes":3.5e+07}'`;
const printing = (what: string, where = ''): string => `${where}cat <<'END'\n${what}\nEND`;

const valueFits = ({ value_type, enums }: Item, value: unknown): boolean =>
  value_type === 'int' ? Number.isInteger(value) : enums?.includes(String(value)) === true;

test('monitor: the app’s items and ours, each of its type', async ({ dir }) => {
  const { stdout } = await run(dir, 'monitor', { prom: healthy, measure: MEASURED });
  const printed = JSON.parse(stdout) as Record<string, unknown>;
  assert.is(stdout.split('\n').length, 1);
  assert.is(printed.heal_node_verdict, 'healthy');
  assert.is(printed.heal_node_failure_tolerance, 1);
  assert.is(printed.process_resident_memory_bytes, 35_000_000);
  assert.equal(
    Object.keys(printed).filter((name) => !(name in items)),
    ['etcd_server_has_leader', 'process_resident_memory_bytes'],
  );
  for (const [name, item] of Object.entries(items))
    assert.ok(valueFits(item, printed[name]), `${name}: ${printed[name]}`);
});

const looked = printing(stale, '[ "$*" = metrics ] || exit 9\n');
const monitored: readonly (readonly [what: string, node: Node, verdict: string])[] = [
  ['a healthy verdict that is young is believed', { prom: healthy, healNode: looked }, 'healthy'],
  ['one that is old is looked at again', { prom: healthy, promAgeMin: 11, healNode: looked }, 'stale'],
  ['one that is not healthy is looked at again', { prom: stale, healNode: printing(healthy) }, 'healthy'],
  ['none, and the node is looked at', { healNode: looked }, 'stale'],
  ['a look that fails is unknown', { prom: stale, healNode: 'echo no >&2; exit 2' }, 'unknown'],
  ['without heal-node it is unknown', {}, 'unknown'],
];
for (const [what, node, verdict] of monitored)
  test(`monitor: ${what}`, async ({ dir }) => {
    for (const measure of [MEASURED, 'echo {}', 'echo oops', 'exit 1']) {
      const { stdout, exitCode } = await run(dir, 'monitor', { ...node, measure });
      const printed = JSON.parse(stdout) as Record<string, unknown>;
      assert.is(exitCode, 0);
      assert.is(printed.heal_node_verdict, verdict);
      assert.is(printed.etcd_server_has_leader, measure === MEASURED ? 1 : undefined);
    }
  });

test('monitor: what is not a number is left out', async ({ dir }) => {
  const prom = healthy.replace(/^heal_node_failure_tolerance .*/m, 'heal_node_failure_tolerance NaN');
  const { stdout } = await run(dir, 'monitor', { prom });
  assert.not.match(stdout, /tolerance/);
  assert.match(stdout, /"heal_node_diverged":0/);
});

test('monitor: waits for nobody who hangs', async ({ dir }) => {
  const hangs = 'sleep 60';
  const { stdout, tookMs } = await run(dir, 'monitor', { measure: hangs, healNode: hangs });
  assert.is(stdout, '{"heal_node_verdict":"unknown"}');
  // The platform gives it 5 s, and the script less; a machine that is slow takes longer for its processes.
  assert.ok(tookMs < 30_000, `${tookMs} ms`);
});

const record = (id: string, startedAt: string, endedAt: string, outcome: string, message: string) => ({
  schema: 'heal-node.heal/1',
  id,
  by: 'health-action',
  reason: 'stale/already-bootstrapped',
  startedAt,
  endedAt,
  outcome,
  message,
  oldMemberId: 'fe6bc03fdf86b20f',
  newMemberId: 'ebb2c5e19770afe3',
  servedBefore: [],
  steps: [{ id: 'fence', startedAt, durationMs: 202, did: 'etcd is stopped' }],
});
type Table = { readonly labels: readonly string[]; readonly data: readonly (readonly string[])[] };

/** By the executable itself for this node, as recorded for the others. */
const HEALED = record(
  '20261129T120000Z-0a1b2c',
  '2026-11-29T12:00:00.250Z',
  '2026-11-29T12:00:01.750Z',
  'healed',
  'It is "healed" \\ 已恢复.',
);
const REFUSED = {
  ...HEALED,
  startedAt: '2026-11-30T08:00:00.000Z',
  outcome: 'refused',
  message: 'no room. '.repeat(99),
};
const SSH = `case "$*" in
*10.0.0.1*) ${printing(JSON.stringify({ schema: 'heal-node.history/1', heals: [REFUSED] }))}
;;
*) exit 255 ;;
esac`;

test('heal-history: all nodes, the newest first, as a table of the platform', async ({ dir }) => {
  put(join(dir, `state/history/${HEALED.id}.json`), JSON.stringify(HEALED), 0o600);
  mkdirSync(dirname(join(dir, EXECUTABLE)), { recursive: true });
  symlinkSync(BUILT, join(dir, EXECUTABLE));
  const { stdout, stderr } = await run(dir, 'heal-history', { ssh: SSH });
  const { labels, data } = JSON.parse(stdout) as Table;
  assert.ok(labels.length > 0 && labels.length <= 5, stderr);
  assert.ok(
    data.every((row) => row.length === labels.length && row.every((cell) => typeof cell === 'string')),
  );
  const [refused, healed, silent] = data;
  assert.equal(refused?.slice(0, 3), ['etcd1 (10.0.0.1)', '2026-11-30T08:00:00', 'refused']);
  assert.is(refused?.[4]?.length, 300);
  assert.equal(healed, [
    'etcd2 (10.0.0.2)',
    '2026-11-29T12:00:00',
    'healed',
    '1.5',
    'stale/already-bootstrapped: It is "healed" \\ 已恢复.',
  ]);
  assert.equal(silent?.slice(0, 3), ['etcd3 (10.0.0.3)', '', 'no answer']);
});

test('heal-history: asks by ssh as the app does, and all at the same time', async ({ dir }) => {
  const view = VIEW.replace('3=10.0.0.3', '3=10.0.0.3 4=10.0.0.4 5=10.0.0.5');
  // Each waits for all the others: were they asked one after the other, each would be given up before the next.
  const ssh = `echo "$*" >> ${dir}/asked; until [ $(wc -l < ${dir}/asked) -eq 4 ]; do sleep 0.1; done; : > ${dir}/all; sleep 60`;
  const { stdout } = await run(dir, 'heal-history', { healNode: 'sleep 60', ssh, view });
  const { data } = JSON.parse(stdout) as Table;
  assert.is(data.filter(([, , outcome]) => outcome === 'no answer').length, 5);
  assert.ok(existsSync(join(dir, 'all')), 'all were asked at the same time');
  const asked = readFileSync(join(dir, 'asked'), 'utf8').trim().split('\n');
  assert.is(asked.length, 4);
  for (const line of asked)
    assert.match(line, /-p 16022 .*BatchMode=yes.* 10\.0\.0\.[1345] .*heal-node history --json$/);
});

test('heal-history: at most 225 rows; a node without heals is named', async ({ dir }) => {
  const heals = Array.from({ length: 100 }, () => HEALED);
  const answer = printing(JSON.stringify({ schema: 'heal-node.history/1', heals }));
  const many = JSON.parse(
    (await run(dir, 'heal-history', { healNode: answer, ssh: answer })).stdout,
  ) as Table;
  assert.is(many.data.length, 225);
  const none = printing('{"schema":"heal-node.history/1","heals":[]}');
  const { stdout } = await run(dir, 'heal-history', { healNode: none, ssh: none });
  assert.equal(
    (JSON.parse(stdout) as Table).data.map(([, , outcome]) => outcome),
    ['none', 'none', 'none'],
  );
});

test('heal-history: where the app’s view is empty or odd, this node alone is asked', async ({ dir }) => {
  const healNode = printing('{"schema":"heal-node.history/1","heals":[]}');
  const ssh = `echo "$*" >> ${dir}/asked`;
  for (const view of ['', 'MY_SID=2\nMY_IP=10.0.0.2\nSTABLE_NODES="1=-oProxyCommand=x"\n']) {
    const { stdout } = await run(dir, 'heal-history', { healNode, ssh, view });
    assert.equal((JSON.parse(stdout) as Table).data.length, 1);
  }
  assert.not.ok(existsSync(join(dir, 'asked')));
});

/** What stands for `heal-node`: `heal --yes` exits with the first code, `status` with the second. */
const healing = (dir: string, heal: number, status = 0): string =>
  `echo "$*" >> ${dir}/called\ncase "$*" in "heal --yes") exit ${heal} ;; status) exit ${status} ;; *) exit 9 ;; esac`;
const calledIn = (dir: string): string =>
  existsSync(join(dir, 'called')) ? readFileSync(join(dir, 'called'), 'utf8') : '';

const asking = (ip: string): string[] => [JSON.stringify({ 'heal.node.ip': ip })];
const BY_HAND = 'heal --yes\n';
const byHand: readonly (readonly [
  what: string,
  words: string[],
  ends: [number, number],
  exit: number,
  called: string,
])[] = [
  ['healed', asking('10.0.0.2'), [0, 0], 0, `${BY_HAND}status\n`],
  ['nothing to heal, and not healthy', asking('10.0.0.2'), [0, 4], 114, `${BY_HAND}status\n`],
  ['failed', asking('10.0.0.2'), [1, 0], 111, BY_HAND],
  ['settings that cannot be used', asking('10.0.0.2'), [2, 0], 112, BY_HAND],
  ['refused', asking('10.0.0.2'), [3, 0], 113, BY_HAND],
  ['an exit that heal does not have', asking('10.0.0.2'), [139, 0], 111, BY_HAND],
  ['another node is meant', asking('10.0.0.1'), [0, 0], 0, ''],
  ['no node is meant', asking('10.0.0.20'), [0, 0], 115, ''],
  ['an address that is a pattern', asking('*'), [0, 0], 115, ''],
  ['no address', asking(''), [3, 0], 113, BY_HAND],
  ['null for an address', ['{"heal.node.ip":null}'], [0, 0], 0, `${BY_HAND}status\n`],
  ['an empty object', ['{}'], [0, 0], 0, `${BY_HAND}status\n`],
  ['no argument', [], [0, 0], 0, `${BY_HAND}status\n`],
  ['an argument that is not JSON', ['10.0.0.2'], [0, 0], 112, ''],
  ['an argument that is no object', ['["10.0.0.2"]'], [0, 0], 112, ''],
];
for (const [what, words, [heal, status], exit, called] of byHand)
  test(`heal-member: ${what}: exit ${exit}`, async ({ dir }) => {
    const { exitCode } = await run(dir, 'heal-member', { healNode: healing(dir, heal, status) }, words);
    assert.is(exitCode, exit);
    assert.is(calledIn(dir), called);
  });

test('both locales have a text for every exit of the custom service, and for no other', () => {
  const exits = [...new Set(byHand.map(([, , , exit]) => exit))].filter((exit) => exit !== 0).sort();
  for (const locale of [en, zh])
    assert.equal(
      Object.keys(locale).filter((key) => key.startsWith('err_code')),
      exits.map((exit) => `err_code${exit}`),
    );
  assert.ok(
    disjoint(
      exits.map((exit) => `err_code${exit}`),
      APP.errCodes,
    ),
  );
});

test.run();
