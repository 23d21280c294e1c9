import * as assert from 'uvu/assert';
import { breakDisk } from '../bed/breakage.ts';
import { scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { serves, unitState } from '../bed/world.ts';

scenario('two wiped members whose third is off found no empty cluster', {}, async (stage) => {
  const { bed, machine, machines, client, appCenter } = stage;
  const [one, two, third] = [machine(1), machine(2), machine(3)];
  const writer = client();
  await writer.writes(100);
  await writer.stop();
  // A healthy look marks a node as one that has been a member; AppCenter's checks do it within minutes.
  for (const each of machines) await each.hook('health-action');
  await third.powerOff();
  for (const wiped of [one, two]) {
    await wiped.powerOff();
    await breakDisk(wiped, 'data-gone');
  }
  await Promise.all([one.powerOn(), two.powerOn()]);
  for (const wiped of [one, two]) {
    await until('the gate has refused', async () =>
      (await wiped.sh('cat /var/log/heal-node/heal-node.log')).includes('"event":"gate-refused"'),
    );
  }
  const platform = appCenter();
  await until('AppCenter has called an action on both', async () =>
    [one, two].every((wiped) => platform.actionsOn(wiped).length > 0),
  );
  await platform.stop();
  for (const { output } of [...platform.actionsOn(one), ...platform.actionsOn(two)])
    assert.match(output, /amnesia\/alone-without-data.*Nothing is done/);
  for (const wiped of [one, two]) {
    assert.is.not(await unitState(wiped), 'active');
    assert.is(
      (await wiped.run('ls', '/var/lib/etcd/default.etcd/member/wal')).code,
      2,
      'nothing was founded',
    );
  }

  // The third comes back with the data: it is what the cluster is, and nobody serves without it.
  await third.powerOn(false);
  await until('it is in reach', async () => (await third.cli('diagnose')).stdout !== '');
  assert.not(await serves(bed, third));
  assert.match(await third.sh('ls /var/lib/etcd/default.etcd/member/wal'), /\.wal/);
});
