import * as assert from 'uvu/assert';
import { breakDisk } from '../bed/breakage.ts';
import { healed, scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { originals, unitState } from '../bed/world.ts';
import { expectHealed, idsOf } from './stories.ts';

scenario(
  'damaged data on which etcd takes too long to die for the start limit to be reached are found and healed',
  {},
  async (stage) => {
    const { machine } = stage;
    const bad = machine(2);
    const ids = await idsOf(stage);
    // As a large log does that is read to its end before what is wrong with it shows.
    await bad.sh(
      `mkdir -p /etc/systemd/system/etcd.service.d; printf '[Service]\\nExecStartPre=/bin/sleep 2.5\\n' >/etc/systemd/system/etcd.service.d/50-slow.conf; systemctl daemon-reload; systemctl stop etcd`,
    );
    const before = { ids, originals: await originals(bad) };
    await breakDisk(bad, 'wal-damaged');
    await bad.sh('systemctl start --no-block etcd');
    const restarts = async () => Number(await bad.sh('systemctl show -P NRestarts etcd'));
    await until(
      'systemd has started it anew more often than the start limit lets it',
      async () => (await restarts()) >= 6,
    );
    assert.is(await unitState(bad), 'activating', 'systemd has not given it up');
    // On a slow machine it may miss the tenth of a second between two runs, and AppCenter calls again.
    await until('the action finds what is wrong, and heals', async () => {
      const { code, stdout } = await bad.hook('health-action');
      return code === 0 && /stale\/wal-damaged/.test(stdout);
    });
    await healed(bad);
    await expectHealed(stage, 2, before);
  },
);
