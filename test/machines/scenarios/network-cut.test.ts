import * as assert from 'uvu/assert';
import { scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { originals, traces } from '../bed/world.ts';
import { idsOf } from './stories.ts';

scenario('a member that is cut off from the others is left alone', {}, async (stage) => {
  const { machine, appCenter } = stage;
  const cut = machine(3);
  const before = { ids: await idsOf(stage), originals: await originals(cut) };
  const mainPid = () => cut.sh('systemctl show etcd -p ExecMainPID');
  const pid = await mainPid();

  await cut.cable('down');
  const platform = appCenter();
  await until('AppCenter has called two actions', async () => platform.actionsOn(cut).length >= 2);
  for (const { code, output } of platform.actionsOn(cut)) {
    assert.is(code, 3, output);
    assert.match(output, /etcd3 is partitioned .*Nothing is done/);
  }
  assert.is(await mainPid(), pid, 'its process was not touched');
  await cut.cable('up');
  await until(
    'it is healthy again',
    async () => platform.events.findLast((e) => e.machine === cut)?.code === 0,
  );
  await platform.stop();

  assert.is(await mainPid(), pid);
  assert.equal(await idsOf(stage), before.ids);
  assert.is(await originals(cut), before.originals);
  assert.is(await traces(cut), '');
});
