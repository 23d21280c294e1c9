import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { healed, scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { hashes, idOf, memberList, originals } from '../bed/world.ts';
import { expectHealed, idsOf } from './stories.ts';

const VALUE = 'divergence-'.repeat(20);

scenario(
  'a member whose data silently differ is reported, and healed where that is asked for',
  {},
  async (stage) => {
    const { bed, machine, machines, appCenter } = stage;
    const bad = machine(2);
    const before = { ids: await idsOf(stage), originals: await originals(bad) };
    await bed.etcdctl([machine(1).endpoint], 'put', 'diverges', VALUE);
    await bad.sh('echo HEAL_DEEP_CHECK_INTERVAL=1s >> /opt/app/conf/heal-node.env');
    const check = () => bad.hook('health-check');
    const metric = () => bad.sh('grep ^heal_node_diverged /var/lib/heal-node/heal-node.prom');
    await until(
      'it was compared',
      async () => (await check()).code === 0 && (await metric()) === 'heal_node_diverged 0',
    );

    // One byte of a value in the database: no checksum of etcd or bbolt covers it.
    await bad.sh('systemctl stop etcd');
    const db = join(bad.dataDisk, 'default.etcd/member/snap/db');
    const bytes = readFileSync(db);
    for (let at = bytes.indexOf(VALUE); at >= 0; at = bytes.indexOf(VALUE, at + 1)) bytes[at] = 0x44;
    writeFileSync(db, bytes);
    await bad.sh('systemctl start etcd');
    assert.is(new Set(await hashes(bed, machines)).size, 2, 'the data differ');

    await until('it is reported', async () => {
      assert.is((await check()).code, 0, 'the member still serves');
      return (await metric()) === 'heal_node_diverged 1';
    });
    assert.match(
      await bad.sh('cat /var/log/heal-node/heal-node.log'),
      /"event":"diverged".*differ from those of all others/,
    );
    // The next comparison confirms it, as soon as one is allowed.
    const diverged = await until('it is confirmed', async () => {
      await check();
      return JSON.parse((await bad.cli('status', '--json')).stdout).diverged ?? undefined;
    });
    assert.match(diverged, /differ from those of all others/);
    assert.is(await idOf(bed, machine(1), bad), before.ids.get(bad.name), 'and left alone');
    const other = await machine(1).hook('health-check');
    assert.is(other.code, 0, 'the others are not blamed');
    assert.match(
      await machine(1).sh('tail -n 1 /var/log/heal-node/heal-node.log'),
      /differ among themselves|compares its data right now/,
    );

    await bad.sh('echo HEAL_ON_DIVERGENCE=heal >> /opt/app/conf/heal-node.env');
    const platform = appCenter();
    await healed(bad);
    await platform.stop();
    const history = await bad.cli('history', '--json');
    assert.is(JSON.parse(history.stdout).heals[0].reason, 'stale/diverged');
    assert.is((await memberList(bed, machine(1))).length, 3);
    await expectHealed(stage, 2, before);
  },
);
