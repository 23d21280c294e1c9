/** What `plan --manual` prints, run by a shell with programs that stand in for systemctl, etcdctl and heal-node. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { situationOf } from '../../src/diagnose/situation.ts';
import { observe } from '../../src/observe/observe.ts';
import { commandsByHand } from '../../src/plan/by-hand.ts';
import { healSteps, type StepId } from '../../src/plan/heal-steps.ts';
import { PLACES } from '../fake/observation.ts';
import { ThreeMembers } from '../fake/three-members.ts';

const test = suite('by hand', { dir: '' });
test.before.each((context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'heal-node-by-hand-'));
});
test.after.each(({ dir }) => rmSync(dir, { recursive: true }));

const put = (path: string, text: string, mode = 0o644): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode });
};

/** The paths of the node, other programs' included, stand below a directory of the test's own. */
async function run(dir: string, ids: readonly StepId[], programs: Readonly<Record<string, string>>) {
  const fake = new ThreeMembers('WAL gone');
  const situation = fake.run(async (world) => situationOf(await observe(world), PLACES));
  const hand = { etcdctl: '/bin/etcdctl', etcdUser: '', etcdPasswordFile: '' };
  const steps = healSteps.filter(({ id }) => ids.includes(id));
  const text = commandsByHand(situation, PLACES, hand, steps);
  const all = { sleep: '', systemctl: 'exit 3', etcdctl: '', 'heal-node': '', ...programs };
  for (const [name, body] of Object.entries(all))
    put(join(dir, 'bin', name), `#!/bin/sh\necho "${name} $*" >>${dir}/called\n${body}\n`, 0o755);
  const here = text
    .replace(/^healNode=.*$/m, "healNode='/bin/heal-node'")
    .replaceAll(/^(\w+=')(?=\/)/gm, `$1${dir}`);
  const { exitCode, stderr } = await execa('sh', ['-c', here], {
    env: { PATH: `${dir}/bin:${process.env.PATH}` },
    reject: false,
  });
  return { exitCode, stderr, called: readFileSync(join(dir, 'called'), 'utf8') };
}

test('heals are paused in earnest, also where a pause that is over has left its file', async ({ dir }) => {
  put(join(dir, PLACES.paused), '{}');
  const { exitCode, called, stderr } = await run(dir, [], {});
  assert.is(exitCode, 0, stderr);
  assert.match(called, /^heal-node pause --for 2h .*^heal-node unpause$/ms);
});

test('nothing is done beside a heal that is at work', async ({ dir }) => {
  put(join(dir, PLACES.journal), '{}');
  const { exitCode, called, stderr } = await run(dir, ['restore'], { systemctl: 'exit 0' });
  assert.is(exitCode, 1);
  assert.match(stderr, /^Stopped: heal-node\.service is at a heal/);
  assert.not.match(called, /systemctl (stop|start|daemon-reload)/);
});

test('a member that lags, and lists the old ID, is not taken for one that lists the new one', async ({
  dir,
}) => {
  const lists = `
case "$*" in
*'member add'*) touch ${dir}/added ;;
*'member list'*)
  n=$(cat ${dir}/n 2>/dev/null || echo 0); echo $((n + 1)) >${dir}/n
  if [ "$n" = 0 ]; then cat ${dir}/old; elif [ -e ${dir}/added ]; then echo "abc, unstarted, , http://10.0.0.2:2380, , false"; fi ;;
esac`;
  const own = new ThreeMembers('WAL gone').listed.find(({ name }) => name === 'etcd2');
  put(join(dir, 'old'), `${own?.id}, started, etcd2, http://10.0.0.2:2380, http://10.0.0.2:2379, false\n`);
  const { exitCode, called, stderr } = await run(dir, ['add'], { etcdctl: lists });
  assert.is(exitCode, 0, stderr);
  assert.match(called, /member add etcd2 --peer-urls=http:\/\/10\.0\.0\.2:2380/);
});

test('restore goes on where a cut has left the copy not loaded any more', async ({ dir }) => {
  put(join(dir, PLACES.unitFile), '');
  put(join(dir, PLACES.originalUnit), '');
  const systemctl = 'case "$*" in "stop etcd1.service") exit 5 ;; esac';
  const { exitCode, called, stderr } = await run(dir, ['restore'], { systemctl });
  assert.is(exitCode, 0, stderr);
  assert.match(called, /^systemctl start etcd\.service$/m);
  assert.not.ok(existsSync(join(dir, PLACES.originals)));
});

test.run();
