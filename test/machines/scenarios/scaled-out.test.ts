import * as assert from 'uvu/assert';
import { breakDisk } from '../bed/breakage.ts';
import type { TestMachine } from '../bed/machine.ts';
import { healed, scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { hashes, keysOn, memberList, originals, pastHeals } from '../bed/world.ts';

const APP_ENV = '/opt/app/bin/.env';
const DATA = '/var/lib/etcd/default.etcd';
const GATE = '/etc/systemd/system/etcd.service.d/10-heal-node-gate.conf';

scenario(
  'a cluster that the app has scaled out: founded, added and healed members are healed alike',
  { proxy: true },
  async (stage) => {
    const { bed, machine, machines, client } = stage;
    const nodes = machines.slice(0, 3);
    const added = machine(4);
    const writer = client();
    await writer.writes(20);

    // What the platform and the app do: the metadata name the node as added, its start joins it, and it is one of all.
    await added.sh(
      `systemctl stop etcd; sed -i -e s/etcd-proxy/etcd-node/ -e 's/^ADDED_NODES=.*/ADDED_NODES="4=${added.ip}"/' -e s/^IS_ADDED=.*/IS_ADDED=true/ ${APP_ENV}`,
    );
    const start = await added.hook('start');
    assert.is(start.code, 0, start.stdout);
    const all = machines.map(({ sid, ip }) => `${sid}=${ip}`).join(' ');
    for (const each of machines) {
      await each.sh(
        `sed -i -e 's/^STABLE_NODES=.*/STABLE_NODES="${all}"/' -e 's/^ADDED_NODES=.*/ADDED_NODES=""/' -e s/^IS_ADDED=.*/IS_ADDED=false/ ${APP_ENV}`,
      );
      // A node that was restarted since names four members, where three have founded the cluster.
      assert.is((await each.run('/opt/app/bin/ctl.sh', 'restart')).code, 0);
      await until(`${each.name} is healthy`, async () => (await each.hook('health-check')).code === 0);
    }
    for (const each of machines) await each.hook('health-action');
    const ids = async () => new Map((await memberList(bed, machine(1))).map(({ name, id }) => [name, id]));

    /** Loses its data, and is stale at the first look: etcd has not been asked to say anything. */
    const healsAtOnce = async (bad: TestMachine, lose: () => Promise<void>): Promise<void> => {
      const before = { ids: await ids(), originals: await originals(bad) };
      const heals = pastHeals(bad).length;
      await lose();
      await until(`${bad.name} is healed`, async () => pastHeals(bad).length > heals, 120_000);
      await healed(bad);
      const after = await ids();
      assert.is(after.size, machines.length);
      for (const [name, id] of before.ids)
        assert.is(after.get(name) === id, name !== bad.name, `${name}: ${id}, now ${after.get(name)}`);
      assert.is((await bad.cliJson('history')).heals.at(-1).reason, 'stale/already-bootstrapped');
      assert.is(await originals(bad), before.originals);
    };
    const wipe = (bad: TestMachine) => async () => {
      await bad.powerOff();
      await breakDisk(bad, 'data-gone');
      await bad.powerOn(false);
    };
    const founded = machine(2);
    await healsAtOnce(added, wipe(added)); // as it was added
    await healsAtOnce(founded, wipe(founded)); // as it was founded
    await healsAtOnce(founded, wipe(founded)); // as it was healed

    // Without the gate such a member founds, and under another cluster's ID: a founding all the same, and no data.
    await healsAtOnce(added, async () => {
      await added.sh(
        `systemctl stop etcd; rm -r ${DATA}; mv ${GATE} /root/gate; systemctl daemon-reload; systemctl start --no-block etcd`,
      );
      await until('it has founded', async () => (await added.run('ls', `${DATA}/member/snap/db`)).code === 0);
      await added.sh(`mv /root/gate ${GATE}; systemctl daemon-reload; systemctl stop etcd`);
      const joined = [...(await added.sh('journalctl -u etcd -o cat')).matchAll(/in cluster (\w+)/g)];
      const [first, last] = [joined[0]?.[1], joined.at(-1)?.[1]];
      assert.is.not(last, first, 'under the ID of another cluster');
      await added.powerOff();
      await added.powerOn(false);
    });
    await writer.writes(20);
    await writer.stop();
    assert.is(new Set(await hashes(bed, machines)).size, 1);
    for (const each of [...nodes, added]) {
      const keys = await keysOn(bed, each, 'w/');
      assert.equal(
        writer.acknowledged.filter((key) => !keys.has(key)),
        [],
      );
    }
  },
);
