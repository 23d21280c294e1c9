import * as assert from 'uvu/assert';
import { scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { originals, traces, unitState } from '../bed/world.ts';
import { idsOf } from './stories.ts';

scenario('a member that was merely stopped is only restarted', {}, async (stage) => {
  const { machine, appCenter } = stage;
  const stopped = machine(2);
  const before = { ids: await idsOf(stage), originals: await originals(stopped) };

  await stopped.sh('systemctl stop etcd');
  const platform = appCenter();
  await until('etcd is up again', async () => (await unitState(stopped)) === 'active');
  await until(
    'AppCenter sees it healthy',
    async () => platform.events.findLast((e) => e.machine === stopped)?.code === 0,
  );
  await platform.stop();

  const [action, ...more] = platform.actionsOn(stopped);
  assert.is(more.length, 0, 'one action was enough');
  assert.is(action?.code, 0);
  assert.match(action?.output ?? '', /stopped\/inactive.*Restarted with/);
  assert.equal(await idsOf(stage), before.ids, 'all IDs are as they were');
  assert.is(await originals(stopped), before.originals);
  assert.is(await traces(stopped), '');
  assert.is((await stopped.cli('history')).stdout, 'No heal has been done here.');

  await stopped.sh('/opt/heal-node/bin/stop; systemctl start etcd');
  const { stdout } = await stopped.cli('doctor');
  assert.match(
    stdout,
    /^ +ok +mode: /m,
    'started another way, in the very moment, it is not parked any more',
  );
});
