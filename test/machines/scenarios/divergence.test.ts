import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { tailOf } from '../../../src/report/read-log.ts';
import type { TestMachine } from '../bed/machine.ts';
import { healed, scenario, withSettings } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { hashes, idOf, memberList, originals } from '../bed/world.ts';
import { expectHealed, idsOf } from './stories.ts';

const VALUE = 'divergence-'.repeat(20);

scenario(
  'a member whose data silently differ is reported, and healed where that is asked for',
  { image: withSettings('HEAL_DEEP_CHECK_INTERVAL=1s', 'HEAL_COMPARE=0.1') },
  async (stage) => {
    const { bed, machine, machines, appCenter } = stage;
    const bad = machine(2);
    const before = { ids: await idsOf(stage), originals: await originals(bad) };
    await bed.etcdctl([machine(1).endpoint], 'put', 'diverges', VALUE);
    const check = (each: TestMachine) => each.hook('health-check');
    const metric = (each: TestMachine) =>
      each.sh('grep ^heal_node_diverged /var/lib/heal-node/heal-node.prom');
    /** Checks until a comparison has said this, and asserts that no check has failed meanwhile. */
    const saidBy = (each: TestMachine, what: RegExp) => {
      const tail = tailOf(each.onRootDisk('/var/log/heal-node/heal-node.log'));
      tail();
      return until(`${each.name} says ${what}`, async () => {
        assert.is((await check(each)).code, 0, `${each.name} serves`);
        return tail().some((line) => what.test(line));
      });
    };
    await saidBy(bad, /"state":"equal".*its data equal those of 2 others/);
    assert.is(await metric(bad), 'heal_node_diverged 0');

    // One byte of a value in the database: no checksum of etcd or bbolt covers it.
    await bad.sh('systemctl stop etcd');
    const db = join(bad.dataDisk, 'default.etcd/member/snap/db');
    const bytes = readFileSync(db);
    for (let at = bytes.indexOf(VALUE); at >= 0; at = bytes.indexOf(VALUE, at + 1)) bytes[at] = 0x44;
    writeFileSync(db, bytes);
    await bad.sh('systemctl start etcd');
    assert.is(new Set(await hashes(bed, machines)).size, 2, 'the data differ');

    await saidBy(bad, /"event":"diverged".*differ from those of all others/);
    assert.is(await metric(bad), 'heal_node_diverged 1');
    // The next comparison confirms it, as soon as one is allowed.
    const diverged = await until('it is confirmed', async () => {
      await check(bad);
      return (await bad.cliJson('status')).diverged ?? undefined;
    });
    assert.match(diverged, /differ from those of all others/);
    assert.is(await idOf(bed, machine(1), bad), before.ids.get(bad.name), 'and left alone');
    // Another node finds that the others differ, which blames nobody, and is told.
    await saidBy(machine(1), /"event":"diverged".*"state":"split".*the others differ among themselves/);
    assert.is(await metric(machine(1)), 'heal_node_diverged 1');

    await bad.sh('echo HEAL_ON_DIVERGENCE=heal >> /opt/app/conf/heal-node.env');
    // Of this node alone: one compares at a time, and at this pace they would keep each other from it.
    const platform = appCenter(60, [bad]);
    await healed(bad);
    await platform.stop();
    assert.is((await bad.cliJson('history')).heals[0].reason, 'stale/diverged');
    assert.is((await memberList(bed, machine(1))).length, 3);
    await expectHealed(stage, 2, before);
  },
);
