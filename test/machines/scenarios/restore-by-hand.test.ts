import * as assert from 'uvu/assert';
import { tailOf } from '../../../src/report/read-log.ts';
import { signalEtcd } from '../bed/freezer.ts';
import type { TestMachine } from '../bed/machine.ts';
import { scenario, withSettings } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { etcdFailed, memberList, originals, traces, unitState } from '../bed/world.ts';
import { expectHealed, idsOf } from './stories.ts';

/** A heal that is killed for good in a step, or right after it, as by a person who has had enough. */
async function killedIn(bad: TestMachine, step: string, holds?: TestMachine): Promise<void> {
  const tail = tailOf(bad.onRootDisk('/var/log/heal-node/heal-node.log'));
  tail();
  await bad.sh('/opt/heal-node/bin/health-action >/dev/null 2>&1 &');
  await until(
    `the heal is at ${step}`,
    async () => {
      const done = tail()
        .map((line) => JSON.parse(line))
        .filter(({ event }) => event === 'step-done')
        .map((line) => line.step);
      // Without a quorum of others it waits for some seconds before `remove`.
      if (holds && done.includes('fence')) signalEtcd(holds, 'SIGSTOP');
      return done.includes(step);
    },
    180_000,
    1,
  );
  await bad.run('systemctl', 'kill', '--signal=SIGKILL', 'heal-node.service');
  await bad.run('systemctl', 'stop', 'heal-node.service');
  if (holds) signalEtcd(holds, 'SIGCONT');
}

// The gate's refusal would have a heal done before anybody could be there to restore anything.
const image = withSettings('HEAL_AT_BOOT=off');

scenario('restore brings the originals back, and says what it could not do', { image }, async (stage) => {
  const { bed, machine } = stage;
  const bad = machine(2);
  const before = { ids: await idsOf(stage), originals: await originals(bad) };
  const list = await memberList(bed, machine(1));
  const restore = () => bad.cli('restore');
  const nothing = await restore();
  assert.is(nothing.code, 0);
  assert.match(nothing.stdout, /nothing to bring back/);

  await bad.sh(
    'systemctl stop etcd; rm -rf /var/lib/etcd/default.etcd/member/wal; systemctl start --no-block etcd',
  );
  await etcdFailed(bad);
  const data = await bad.sh('ls -i /var/lib/etcd/default.etcd/member/snap');
  await killedIn(bad, 'stage', machine(3));
  await until('the others serve', () => memberList(bed, machine(1)).catch(() => undefined));
  const first = await restore();
  assert.match(first.stdout, /default\.etcd is back.*etcd is not started: .* holds no data of member/);
  assert.is(first.code, 1);
  assert.is(await originals(bad), before.originals);
  assert.is(await traces(bad), '');
  assert.is(
    await bad.sh('ls -i /var/lib/etcd/default.etcd/member/snap'),
    data,
    'the data are back as they were',
  );
  assert.equal(await memberList(bed, machine(1)), list);

  // After `remove` the old data are of no use to it any more: it has to join anew.
  await bad.sh('systemctl start --no-block etcd');
  await etcdFailed(bad);
  // Another has its turn to join, so that the heal waits before `add`.
  await bed.etcdctl([machine(1).endpoint], 'put', 'heal-node/joiner', 'etcd9');
  await killedIn(bad, 'remove');
  const second = await restore();
  assert.is(second.code, 1);
  assert.match(second.stdout, /etcd is not started: the cluster does not list this node any more/);
  assert.is(await originals(bad), before.originals);
  assert.is(await traces(bad), '');
  assert.is.not(await unitState(bad), 'active');
  await bed.etcdctl([machine(1).endpoint], 'del', 'heal-node/joiner');

  const healed = await bad.hook('start');
  assert.is(healed.code, 0, healed.stdout);
  await expectHealed(stage, 2, before);
});
