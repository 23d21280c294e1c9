import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { goStale } from '../bed/breakage.ts';
import type { Ran, TestMachine } from '../bed/machine.ts';
import { gateRefused, scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { memberList, serves, traces } from '../bed/world.ts';
import { expectAllWrites } from './stories.ts';

const verb = (each: TestMachine, ...words: readonly string[]): Promise<Ran> =>
  each.run('/opt/app/bin/ctl.sh', ...words);

/** Calls a verb on all nodes at once, as the platform does; each must succeed. */
async function verbOnAll(nodes: readonly TestMachine[], ...words: readonly string[]): Promise<void> {
  const ran = await Promise.all(nodes.map((each) => verb(each, ...words)));
  for (const [at, { code, stdout, stderr }] of ran.entries())
    assert.is(code, 0, `${words[0]} on ${nodes[at]?.name}: ${stdout} ${stderr}`);
}

async function allHealthy(nodes: readonly TestMachine[]): Promise<void> {
  for (const each of nodes)
    await until(`${each.name} is healthy`, async () => (await each.hook('health-check')).code === 0);
}

/** After a verb of the app: nobody has healed anything, and nothing is left of an attempt. */
async function expectNoHeal(nodes: readonly TestMachine[]): Promise<void> {
  for (const each of nodes) {
    await until(`nothing of ours is under way on ${each.name}`, async () => (await traces(each)) === '');
    const { heals } = await each.cliJson('history');
    assert.equal(
      heals.filter(({ outcome }: { outcome: string }) => outcome === 'healed'),
      [],
      each.name,
    );
    assert.is((await each.cliJson('status')).birthmarkMismatch, null, each.name);
  }
}

scenario(
  'with the gate in place and the mark on both disks, scaling out and in, restore and repair by the app still work',
  { proxy: true },
  async (stage) => {
    const { bed, machine, machines, client } = stage;
    const nodes = machines.slice(0, 3);
    const [one, two, three] = [machine(1), machine(2), machine(3)];
    const added = machine(4);
    const writer = client();
    await writer.writes(50);
    await writer.stop();
    const marked = async (each: TestMachine) => {
      assert.is((await each.hook('health-action')).code, 0);
      await each.sh('ls /var/lib/heal-node/member /var/lib/etcd/heal-node/member');
    };
    for (const each of nodes) await marked(each);
    const [threeNodes, fourth] = [nodes, [added]].map((all) =>
      all.map(({ sid, ip }) => `${sid}=${ip}`).join(' '),
    );
    const fourNodes = `${threeNodes} ${fourth}`;
    const metadata = (on: readonly TestMachine[], changes: Record<string, string>) =>
      Promise.all(on.map((each) => each.confd(changes)));

    // Scaling out. What was the proxy is made a new node: nothing of a member, and nothing of ours, is on it.
    await added.sh('systemctl disable --quiet --now etcd; rm /opt/app/conf/etcd.env');
    await metadata([...nodes, added], { ADDED_NODES: `${fourth}`, ALL_NODES: fourNodes });
    await metadata([added], { MY_ROLE: 'etcd-node', IS_ADDED: 'true' });
    const joined = await added.hook('start');
    assert.is(joined.code, 0, joined.stdout + joined.stderr);
    await metadata([...nodes, added], { ADDED_NODES: '', STABLE_NODES: fourNodes, IS_ADDED: 'false' });
    await allHealthy([...nodes, added]);
    await marked(added);
    assert.equal((await memberList(bed, one)).map(({ name, started }) => `${name} ${started}`).sort(), [
      'etcd1 true',
      'etcd2 true',
      'etcd3 true',
      'etcd4 true',
    ]);

    // Scaling in: the node removes itself. While it still runs, AppCenter's checks of it fail.
    await metadata([...nodes, added], { DELETED_NODES: `${fourth}` });
    await metadata([added], { IS_DELETED: 'true' });
    const destroyed = await verb(added, 'destroy');
    assert.is(destroyed.code, 0, destroyed.stdout + destroyed.stderr);
    const ids = await memberList(bed, one);
    assert.is(ids.length, 3);
    const notHealed = async (why: RegExp): Promise<void> => {
      const { code, stdout } = await added.hook('health-action');
      assert.is(code, 3, stdout);
      assert.match(stdout, why);
      assert.equal(await memberList(bed, one), ids, 'a node that was scaled in is not healed');
      await expectNoHeal([added]);
    };
    await notHealed(/stale\/removed.*app-quiet: this node is being deleted \(IS_DELETED=true\)/);
    const left = { STABLE_NODES: `${threeNodes}`, ALL_NODES: `${threeNodes}`, DELETED_NODES: '' };
    await metadata([...nodes, added], { ...left, IS_DELETED: 'false' });
    await notHealed(/stale\/removed.*app-quiet: this node, 4, is not among the app's nodes .*was scaled in/);
    await added.powerOff();
    await allHealthy(nodes);

    // Restore from a backup: the volume of one node comes to all of them, and with it its marks.
    const backedUp = await verb(one, 'backup');
    assert.is(backedUp.code, 0, backedUp.stdout + backedUp.stderr);
    await bed.etcdctl([one.endpoint], 'put', 'after-the-backup', 'gone');
    await verbOnAll(nodes, 'stop');
    for (const each of [two, three]) {
      for (const name of ['default.etcd', 'heal-node', 'v3.backup']) {
        rmSync(join(each.dataDisk, name), { recursive: true, force: true });
        cpSync(join(one.dataDisk, name), join(each.dataDisk, name), { recursive: true });
      }
    }
    await verbOnAll(nodes, 'restore');
    await allHealthy(nodes);
    await expectAllWrites(bed, nodes, writer);
    assert.is(await bed.etcdctl([one.endpoint], 'get', 'after-the-backup'), '', 'it is what was backed up');
    await expectNoHeal(nodes);

    // Repair of a lost quorum: two nodes lose their data, and are rebuilt from the third's.
    await Promise.all([goStale(one), goStale(three)]);
    await Promise.all([one, three].map(gateRefused));
    assert.not(await serves(bed, two));
    await verbOnAll(nodes, 'repair', JSON.stringify({ 'node.ip': two.ip }));
    await allHealthy(nodes);
    assert.is((await memberList(bed, one)).length, 3);
    await expectAllWrites(bed, nodes, writer);
    await expectNoHeal(nodes);

    // The same with keys of the old API: the first node goes on alone with a copy, and the others, empty, join it.
    await one.sh(`ETCDCTL_API=2 /opt/etcd/current/etcdctl --endpoints=${one.endpoint} set old value`);
    await verbOnAll(nodes, 'repair', JSON.stringify({ 'node.ip': two.ip }));
    await allHealthy(nodes);
    assert.is((await memberList(bed, one)).length, 3);
    await expectAllWrites(bed, nodes, writer);
    await expectNoHeal(nodes);
  },
);
