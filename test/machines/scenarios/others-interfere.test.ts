import * as assert from 'uvu/assert';
import { breakDisk } from '../bed/breakage.ts';
import { healed, scenario } from '../bed/scenario.ts';
import { sleep } from '../bed/sh.ts';
import { etcdFailed, memberList, originals } from '../bed/world.ts';
import { expectHealed, idsOf } from './stories.ts';

scenario(
  'operators, a second healer and confd do what they do in the middle of a heal',
  {},
  async (stage) => {
    const { bed, machine, client, appCenter } = stage;
    const bad = machine(2);
    const before = { ids: await idsOf(stage), originals: await originals(bad) };
    const writer = client();
    await writer.writes(20);
    await bad.powerOff();
    await breakDisk(bad, 'data-gone');
    await bad.powerOn();
    await etcdFailed(bad);
    const others = [machine(1), machine(3)].map(({ endpoint }) => endpoint);
    const oldId = before.ids.get(bad.name) ?? '';

    let going = true;
    const again = async (what: () => Promise<unknown>): Promise<void> => {
      while (going) {
        await what();
        // Systemd must come to something else between two of them.
        await sleep(300);
      }
    };
    const meanwhile = [
      again(() => bad.run('/opt/app/bin/ctl.sh', 'restart')),
      again(() => bad.run('/opt/app/bin/ctl.sh', 'start')),
      again(() => bad.cli('heal')),
      again(() => bad.confd({ CHANGED_VARS: 'ETCD_QUOTA_BYTES' })),
      // A person at step 2 of the runbook, who removes and adds the same member.
      bed.etcdctl(others, 'member', 'remove', oldId).catch(() => undefined),
    ];
    const platform = appCenter();
    await healed(bad).finally(() => {
      going = false;
    });
    await Promise.all(meanwhile);
    await platform.stop();
    await writer.writes(20);
    await writer.stop();
    // The restarts of the last round may still be on their way.
    await bad.run('/opt/app/bin/ctl.sh', 'start');
    await expectHealed(stage, 2, before);
    assert.is((await memberList(bed, machine(1))).length, 3);
  },
);
