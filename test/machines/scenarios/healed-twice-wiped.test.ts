import * as assert from 'uvu/assert';
import { tailOf } from '../../../src/report/read-log.ts';
import { breakDisk } from '../bed/breakage.ts';
import { healed, scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { hashes, keysOn, memberList, serves, unitState } from '../bed/world.ts';
import { idsOf } from './stories.ts';

const WAL = '/var/lib/etcd/default.etcd/member/wal';

scenario(
  'two members that were healed before lose their data again while the third has no quorum: nobody founds',
  {},
  async (stage) => {
    const { bed, machine, machines, client } = stage;
    const [one, two, third] = [machine(1), machine(2), machine(3)];
    const writer = client();
    await writer.writes(50);
    for (const each of machines) await each.hook('health-action');
    const founded = await idsOf(stage);
    for (const bad of [one, two]) {
      await bad.powerOff();
      await breakDisk(bad, 'data-gone');
      await bad.powerOn(false);
      await healed(bad);
    }
    const listed = await idsOf(stage);
    for (const bad of [one, two]) assert.is.not(listed.get(bad.name), founded.get(bad.name));
    await writer.writes(50);
    await writer.stop();

    // etcd itself would found here: it asks for the ID that it computes from URL and token, which nobody lists now.
    for (const bad of [one, two]) {
      await bad.powerOff();
      await breakDisk(bad, 'data-gone');
    }
    // The gate has refused before, when they were healed: what counts is said from now on.
    const told = [one, two].map((bad) => ({
      bad,
      tail: tailOf(bad.onRootDisk('/var/log/heal-node/heal-node.log')),
    }));
    await Promise.all([one.powerOn(false), two.powerOn(false)]);
    const refused = async (): Promise<void> => {
      for (const { bad, tail } of told) {
        await until(`the gate of ${bad.name} has refused`, async () =>
          tail().some((line) => line.includes('"event":"gate-refused"')),
        );
        // While the gate asks, etcd looks like one that is on its way up.
        await until(`the action does nothing on ${bad.name}`, async () => {
          const { stdout } = await bad.hook('health-action');
          assert.not.match(stdout, /Healed|The heal is under way/);
          return /amnesia\/alone-without-data.*Nothing is done/.test(stdout);
        });
        assert.is((await bad.run('/opt/app/bin/ctl.sh', 'restart')).code === 0, false, 'nor by hand');
        assert.is.not(await unitState(bad), 'active');
        assert.is((await bad.run('ls', WAL)).code, 2, 'nothing was founded');
        assert.not(await serves(bed, bad));
      }
    };
    await refused();
    await third.powerOff();
    await refused();

    // The third comes back, alone with the data: it is what the cluster is, and nobody may serve without it.
    await third.powerOn(false);
    await until('it is in reach', async () => (await third.cli('diagnose')).stdout !== '');
    assert.not(await serves(bed, third));
    await refused();
    assert.match(await third.sh(`ls ${WAL}`), /\.wal/);

    // A person makes it a cluster of one, as the app's repair does; the others join it without anybody.
    await third.sh(
      'cd /opt/app/conf; systemctl stop etcd; echo ETCD_FORCE_NEW_CLUSTER=true >>etcd.env; systemctl start etcd; sed -i /FORCE_NEW/d etcd.env',
    );
    await until('it serves alone', () => serves(bed, third));
    await Promise.all([one, two].map(healed));
    assert.is((await memberList(bed, third)).length, 3);
    assert.is(new Set(await hashes(bed, machines)).size, 1);
    for (const each of machines) {
      assert.is((await each.hook('health-check')).code, 0, each.name);
      const keys = await keysOn(bed, each, 'w/');
      assert.equal(
        writer.acknowledged.filter((key) => !keys.has(key)),
        [],
        `every acknowledged write is on ${each.name}`,
      );
    }
  },
);
