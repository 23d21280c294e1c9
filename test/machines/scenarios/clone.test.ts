import { rmSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { healed, scenario } from '../bed/scenario.ts';
import { sh, until } from '../bed/sh.ts';
import { originals, serves } from '../bed/world.ts';
import { expectHealed, idsOf } from './stories.ts';

scenario(
  "member 2 comes back on a clone of member 3's disk, and answers healthy as member 3",
  {},
  async (stage) => {
    const { bed, machine, appCenter, client } = stage;
    const [bad, cloned] = [machine(2), machine(3)];
    const writer = client();
    await writer.writes(50);
    const before = { ids: await idsOf(stage), originals: await originals(bad) };
    await bad.powerOff();
    await cloned.sh(
      'systemctl stop etcd; cp -a --sparse=always /var/lib/etcd/default.etcd /root/copy; systemctl start etcd',
    );
    rmSync(join(bad.dataDisk, 'default.etcd'), { recursive: true });
    await sh(
      'cp',
      '-a',
      '--sparse=always',
      cloned.onRootDisk('/root/copy'),
      join(bad.dataDisk, 'default.etcd'),
    );
    await until('member 3 serves again', () => serves(bed, cloned));
    await bad.powerOn();
    appCenter();
    await healed(bad);
    await writer.writes(50);
    await writer.stop();

    const history = await bad.cli('history', '--json');
    const [heal] = JSON.parse(history.stdout).heals;
    assert.is(heal.reason, 'stale/clone');
    assert.is(heal.oldMemberId, before.ids.get(bad.name), "its own entry was replaced, not member 3's");
    assert.match(await bad.sh(`ls -d /var/lib/etcd/heal-node/aside/${heal.id}/*`), /default\.etcd/);
    // The clone has published its own name as member 3's; member 3 publishes its own again when it starts.
    await cloned.sh('systemctl restart etcd');
    await expectHealed(stage, 2, before);
  },
);
