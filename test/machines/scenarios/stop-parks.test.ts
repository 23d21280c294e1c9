import * as assert from 'uvu/assert';
import { tailOf } from '../../../src/report/read-log.ts';
import { breakDisk } from '../bed/breakage.ts';
import { scenario } from '../bed/scenario.ts';
import { sleep, until } from '../bed/sh.ts';
import { etcdFailed, memberList, originals, unitState } from '../bed/world.ts';
import { expectHealed, idsOf } from './stories.ts';

scenario('stop parks a heal where the cluster is whole, and the next start ends it', {}, async (stage) => {
  const { bed, machine } = stage;
  const bad = machine(2);
  const before = { ids: await idsOf(stage), originals: await originals(bad) };
  await bad.powerOff();
  await breakDisk(bad, 'data-gone');
  await bad.powerOn();
  await etcdFailed(bad);

  const tail = tailOf(bad.onRootDisk('/var/log/heal-node/heal-node.log'));
  await bad.sh('/opt/heal-node/bin/health-action >/dev/null 2>&1 &');
  await until(
    'the heal has fenced',
    async () => tail().some((line) => JSON.parse(line).step === 'fence'),
    60_000,
    2,
  );
  const stopped = await bad.hook('stop');
  assert.is(stopped.code, 0, stopped.stdout || stopped.stderr);

  // Nothing runs, nothing is started behind the operator's back, and the cluster lists every member it should.
  for (const unit of ['etcd', 'etcd1', 'heal-node']) assert.is.not(await unitState(bad, unit), 'active');
  const list = await memberList(bed, machine(1));
  assert.is(list.length, 3);
  const action = await bad.hook('health-action');
  assert.is(action.code, 3);
  assert.match(action.stdout, /The app was stopped; the next start heals/);
  await sleep(0);
  assert.equal(await memberList(bed, machine(1)), list);

  const started = await bad.hook('start');
  assert.is(started.code, 0, started.stdout);
  await expectHealed(stage, 2, before);
});
