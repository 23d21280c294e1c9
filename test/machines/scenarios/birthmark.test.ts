import * as assert from 'uvu/assert';
import { breakDisk } from '../bed/breakage.ts';
import { healed, scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { memberList } from '../bed/world.ts';
import { foundedAnew, walFiles, withoutGate } from './founded-anew.ts';

const KEY = 'heal-node/birthmark';

scenario(
  'a cluster that was founded anew, and has grown past what this member knows, shows no birthmark of ours',
  { image: withoutGate },
  async (stage) => {
    const { bed, machine, machines, appCenter } = stage;
    const [one, two, third] = [machine(1), machine(2), machine(3)];
    // The first look of each marks the cluster, and remembers the mark on both disks.
    for (const each of machines) await each.hook('health-check');
    for (const each of machines) await each.hook('health-action');
    const mark = (await bed.etcdctl([one.endpoint], 'get', KEY, '--print-value-only')).trim();
    assert.match(mark, /^[0-9a-f]{32}$/);
    for (const each of machines)
      for (const path of ['/var/lib/heal-node/member', '/var/lib/etcd/heal-node/member'])
        assert.match(await each.sh(`cat ${path}`), new RegExp(`birthmark=${mark}`));

    await foundedAnew(bed, [one, two], third);
    // It grows past every index that the third member has.
    const writer = bed.client({ to: [one, two] });
    await writer.writes(500);
    await writer.stop();
    // And its own WAL is damaged: to look at, a stale member among others that serve.
    await breakDisk(third, 'wal-damaged');
    await third.powerOn(false);
    const data = await walFiles(third);
    const platform = appCenter();
    await until('AppCenter has called two actions', async () => platform.actionsOn(third).length >= 2);
    await platform.stop();
    for (const { code, output } of platform.actionsOn(third)) {
      assert.is(code, 3, output);
      assert.match(output, /amnesia\/other-birthmark.*Nothing is done.*heal-node adopt/);
    }
    const refused = await third.cli('heal', '--yes');
    assert.match(refused.stdout, /amnesia/);
    assert.is((await memberList(bed, one)).length, 3, 'nobody was removed');

    // A person decides that the new cluster is the one to keep.
    const adopted = await third.cli('adopt');
    assert.is(adopted.code, 0, adopted.stdout);
    assert.match(adopted.stdout, new RegExp(`it remembered ${mark}`));
    assert.is(await walFiles(third), data, 'the last copy of the data is untouched');
    const again = appCenter();
    await healed(third);
    await again.stop();
    assert.is((await bed.etcdctl([one.endpoint], 'get', KEY, '--print-value-only')).trim().length, 32);
  },
);
