/** What is done with the package on machines, step by step; each says what came of it, and throws where that is wrong. */
import * as assert from 'uvu/assert';
import type { Bed } from '../bed/bed.ts';
import { breakDisk, goStale } from '../bed/breakage.ts';
import { HOOKS, type Ran, type TestMachine } from '../bed/machine.ts';
import { healed } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { pastHeals, serves } from '../bed/world.ts';

export interface Scene {
  readonly bed: Bed;
  /** Paths in the machines. */
  readonly older: string;
  readonly newer: string;
  readonly executable: string;
  /** The packages' versions. */
  readonly versions: { readonly older: string; readonly newer: string };
  /** Which run of etcd each machine is in. */
  readonly runs: Map<string, string>;
}

interface Step {
  readonly what: string;
  readonly does: (scene: Scene) => Promise<string>;
}

const CTL = '/opt/app/bin/ctl.sh';
const SETTINGS = '/opt/app/conf/heal-node.env';
const EDIT = 'HEAL_MAX_PER_DAY=7';
const KEPT = '/var/lib/etcd/heal-node';
const GATE = '/usr/lib/systemd/system/etcd.service.d/10-heal-node-gate.conf';

/** As a tool does it, where nobody is there to answer a question. */
const apt = (machine: TestMachine, ...words: readonly string[]): Promise<Ran> =>
  machine.run(
    'env',
    'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
    'DEBIAN_FRONTEND=noninteractive',
    'apt-get',
    '-qq',
    '-y',
    '-o',
    'Dpkg::Options::=--force-confold',
    ...words,
  );

async function aptWell(machine: TestMachine, ...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await apt(machine, ...words);
  assert.is(code, 0, `${machine.name}: apt-get ${words.join(' ')}: ${stdout}\n${stderr}`);
  return `${stdout}\n${stderr}`;
}

const statusOf = (machine: TestMachine): Promise<string> =>
  machine.sh(`dpkg-query -W -f '\${Status} \${Version}' heal-node 2>/dev/null || true`);
const installed = (version: string): string => `install ok installed ${version}`;

/** Which run of a unit it is in. */
const runOf = async (machine: TestMachine, unit: string): Promise<string> =>
  (await machine.sh(`systemctl show -p MainPID -p InvocationID ${unit}`)).replaceAll('\n', ' ');

/** From now on etcd is to stay in the run in which it is. */
export async function noteRuns({ bed, runs }: Scene): Promise<void> {
  for (const each of bed.machines) {
    await until(`${each.name} serves`, () => serves(bed, each), 120_000);
    runs.set(each.name, await runOf(each, 'etcd'));
  }
}

async function sameRun({ runs, bed }: Scene, machines = bed.machines): Promise<void> {
  for (const each of machines) {
    assert.is(await runOf(each, 'etcd'), runs.get(each.name), `etcd on ${each.name} runs on`);
    assert.ok(await serves(bed, each), `${each.name} serves`);
  }
}

/** The doctor finds everything in place, and systemd too. */
async function expectInForce(machine: TestMachine): Promise<void> {
  const { stdout } = await machine.run('/usr/bin/heal-node', 'doctor');
  for (const question of ['installed', 'gate']) assert.not.match(stdout, new RegExp(`FIX +${question}:`));
  assert.is(await machine.sh('systemctl is-enabled heal-node.service'), 'enabled');
  assert.is(await machine.sh('systemctl show -p DropInPaths etcd'), `DropInPaths=${GATE}`);
  assert.match((await machine.cli('install')).stdout, /Everything was in place already/);
}

const bad = ({ bed }: Scene): TestMachine => bed.machine(2);
const byInstall = ({ bed }: Scene): TestMachine => bed.machine(3);
const others = (scene: Scene): TestMachine[] => scene.bed.machines.filter((each) => each !== bad(scene));

/** While another node has it, a heal stands still between `remove` and `add` (src/act/heal/turn.ts). */
const TURN_KEY = 'heal-node/joiner';
const turn = ({ bed }: Scene, ...words: readonly string[]): Promise<string> =>
  bed.etcdctl([bed.machine(1).endpoint], ...words);

export const steps: readonly Step[] = [
  {
    what: 'installed while etcd runs',
    does: async (scene) => {
      for (const each of [scene.bed.machine(1), bad(scene)]) {
        await aptWell(each, 'install', scene.older);
        assert.is(await statusOf(each), installed(scene.versions.older));
        await expectInForce(each);
        assert.match(await each.sh('systemctl show -p InvocationID heal-node.service'), /=$/);
        assert.match(await each.sh('dpkg --verify heal-node; echo verified'), /^verified$/);
      }
      await sameRun(scene);
      return 'enabled, the gate in force; etcd runs on, and heal-node.service was not started';
    },
  },
  {
    what: 'installed where `heal-node install` was run before, with settings of its own',
    does: async (scene) => {
      const node = byInstall(scene);
      await node.sh(`${scene.executable} install && echo ${EDIT} >>${SETTINGS}`);
      const said = await aptWell(node, 'install', scene.older);
      assert.match(said, /heal-node\.service\.dpkg-old/);
      const left = 'ls /etc/systemd/system/heal-node.service /usr/local/bin/heal-node 2>/dev/null || true';
      assert.is(await node.sh(left), '');
      assert.is(await node.sh(`tail -n 1 ${SETTINGS}`), EDIT);
      await expectInForce(node);
      await sameRun(scene);
      return 'its own units are in force, those of install are set aside; the settings are kept';
    },
  },
  {
    what: 'removed in the middle of a heal',
    does: async (scene) => {
      const node = bad(scene);
      await node.sh(`sed -i 's/^#HEAL_MAX_PER_DAY=.*/${EDIT}/' ${SETTINGS}`);
      await turn(scene, 'put', TURN_KEY, 'etcd9');
      await goStale(node, 'wal-damaged');
      // It waits for the heal; it has ended when the member is healed.
      void node.runFor(60_000, `${HOOKS}/health-action`);
      const log = () => node.run('cat', '/var/log/heal-node/heal-node.log');
      await until(
        'the heal waits for its turn',
        async () => (await log()).stdout.includes('"event":"waits-for-turn"'),
        180_000,
        100,
      );
      const { code, stdout, stderr } = await apt(node, 'remove', 'heal-node');
      assert.is.not(code, 0, stdout);
      assert.match(
        stdout + stderr,
        /heal-node is not removed, nothing was changed: heal-node\.service is at work/,
      );
      assert.is(await statusOf(node), installed(scene.versions.older));
      await node.sh(`test -x ${HOOKS}/health-check && test -e ${GATE}`);
      await sameRun(scene, others(scene));
      const { heal } = await node.cliJson('status');
      return `refused while the heal is at ${heal.step}; nothing is changed`;
    },
  },
  {
    what: 'upgraded in the middle of a heal',
    does: async (scene) => {
      const node = bad(scene);
      const service = await runOf(node, 'heal-node.service');
      const [, pid = ''] = /MainPID=(\d+)/.exec(service) ?? [];
      await aptWell(node, 'install', scene.newer);
      assert.is(await statusOf(node), installed(scene.versions.newer));
      assert.is(await runOf(node, 'heal-node.service'), service, 'the healer is the same');
      assert.match(await node.sh(`readlink /proc/${pid}/exe`), /heal-node.*\(deleted\)$/);
      await turn(scene, 'del', TURN_KEY);
      await healed(node);
      assert.is(await node.sh(`grep -c '^${EDIT}' ${SETTINGS}`), '1');
      await expectInForce(node);
      await sameRun(scene, others(scene));
      await noteRuns(scene);
      return 'the healer is not restarted, and heals in its old executable; the settings are kept';
    },
  },
  {
    what: 'upgraded while etcd runs',
    does: async (scene) => {
      for (const each of others(scene)) {
        await aptWell(each, 'install', scene.newer);
        assert.is(await statusOf(each), installed(scene.versions.newer));
        await expectInForce(each);
        assert.is((await each.hook('health-check')).code, 0);
      }
      assert.is(await byInstall(scene).sh(`tail -n 1 ${SETTINGS}`), EDIT);
      await sameRun(scene);
      return 'etcd runs on, the settings are kept';
    },
  },
  {
    what: 'data lost over a boot',
    does: async (scene) => {
      const node = bad(scene);
      const before = pastHeals(node).length;
      await node.powerOff();
      await breakDisk(node, 'data-gone');
      await node.powerOn(false);
      await until('another heal is over', async () => pastHeals(node).length > before, 120_000);
      await healed(node);
      await noteRuns(scene);
      return "healed by the package's gate and service";
    },
  },
  {
    what: 'removed while etcd runs',
    does: async (scene) => {
      for (const each of scene.bed.machines) {
        const said = await aptWell(each, 'remove', 'heal-node');
        if (each !== bad(scene))
          assert.match(said, /AppCenter has called the health check within the last hour/);
        assert.match(await statusOf(each), /^deinstall ok config-files/);
        assert.is(await each.sh('ls -d /opt/heal-node /usr/bin/heal-node 2>/dev/null || true'), '');
        assert.is(await each.sh('systemctl show -p DropInPaths etcd'), 'DropInPaths=');
        assert.match(await each.sh('systemctl show -p LoadState heal-node.service'), /not-found/);
        await each.sh(`test -e ${SETTINGS} && test -d /var/lib/heal-node`);
      }
      await sameRun(scene);
      assert.is(pastHeals(bad(scene)).length, 2);
      assert.is((await bad(scene).run(CTL, 'restart')).code, 0);
      await noteRuns(scene);
      return "no unit, gate or hook is left, and the app's own scripts work; settings and history are kept";
    },
  },
  {
    what: 'installed again',
    does: async (scene) => {
      const node = bad(scene);
      await aptWell(node, 'install', scene.newer);
      await expectInForce(node);
      assert.is(await node.sh(`grep -c '^${EDIT}' ${SETTINGS}`), '1');
      assert.is((await node.cliJson('history')).heals.length, 2);
      await sameRun(scene);
      return 'enabled again, with its settings and history';
    },
  },
  {
    what: 'purged while etcd runs',
    does: async (scene) => {
      const find =
        "find /etc /opt /usr /var /run -xdev -name '*heal-node*' -not -name '*.dpkg-old' -not -path '/var/lib/etcd/*'";
      for (const each of scene.bed.machines) {
        await aptWell(each, 'purge', 'heal-node');
        assert.is(await statusOf(each), '');
        assert.is(await each.sh(find), '', each.name);
      }
      await sameRun(scene);
      assert.is(pastHeals(bad(scene)).length, 2);
      assert.is.not(await bad(scene).sh(`ls ${KEPT}/aside`), '');
      return 'settings, marks and log are gone; the history and the data set aside are kept';
    },
  },
];
