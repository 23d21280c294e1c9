import * as assert from 'uvu/assert';
import { breakDisk, crashed } from '../bed/breakage.ts';
import { scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { originals, traces } from '../bed/world.ts';

scenario('with the quorum lost, membership and data are left alone', {}, async ({ machine, appCenter }) => {
  const [bad, off, survivor] = [machine(2), machine(3), machine(1)];
  const before = await originals(bad);
  const walBefore = await survivor.sh('ls /var/lib/etcd/default.etcd/member/wal');

  await bad.powerOff();
  await off.powerOff();
  await breakDisk(bad, 'wal-damaged');
  await bad.powerOn();
  // One of the others is silent, and the gate asks it before each start: systemd's start limit is never reached.
  await crashed(bad);
  const platform = appCenter();
  await until(
    'AppCenter has called two actions on the bad node',
    async () => platform.actionsOn(bad).length >= 2,
  );
  await until('and one on the survivor', async () => platform.actionsOn(survivor).length >= 1);
  await platform.stop();

  const verdict = JSON.parse((await bad.cli('diagnose', '--json')).stdout);
  assert.is(verdict.verdict, 'quorum-lost');
  const refused = await bad.cli('heal');
  assert.match(refused.stdout, /quorum-lost/);
  assert.is(await originals(bad), before, 'unit and environment were not touched');
  assert.is(await traces(bad), '');
  assert.is(await survivor.sh('ls /var/lib/etcd/default.etcd/member/wal'), walBefore);
  assert.ok(
    await bad.sh('ls /var/lib/etcd/default.etcd/member/wal/*.wal'),
    'the damaged data are where they were',
  );
  assert.is((await bad.run('ls', '/var/lib/etcd/heal-node/aside')).code, 2, 'nothing was set aside');

  // The others come back: the cluster is as it was, and now the member is healed.
  await off.powerOn();
  const list = await until(
    'the cluster serves again',
    async () =>
      (await survivor.hook('health-check')).code === 0 && (await survivor.cli('diagnose', '--json')).stdout,
  );
  assert.is(JSON.parse(list).members.length, 3, 'no member was removed');
});
