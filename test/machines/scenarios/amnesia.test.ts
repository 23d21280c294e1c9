import * as assert from 'uvu/assert';
import { scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { foundedAnew, walFiles, withoutGate } from './founded-anew.ts';

scenario(
  'two wiped members have founded an empty cluster, and the third has the data: hands off',
  { image: withoutGate },
  async (stage) => {
    const { bed, machine, client, appCenter } = stage;
    const [one, two, third] = [machine(1), machine(2), machine(3)];
    const writer = client();
    await writer.writes(300);
    await writer.stop();
    await foundedAnew(bed, [one, two], third);
    // Its etcd stays on its way up for as long as systemd lets it, and so does its boot.
    await third.powerOn(false);
    const data = await walFiles(third);
    const platform = appCenter();
    await until('AppCenter has called two actions', async () => platform.actionsOn(third).length >= 2);
    await platform.stop();

    for (const { code, output } of platform.actionsOn(third)) {
      assert.is(code, 3, output);
      assert.match(output, /amnesia \(amnesia\/ahead\).*Nothing is done.*Action: /);
    }
    assert.is(await walFiles(third), data, 'the last copy of the data is untouched');
    assert.is((await third.run('ls', '/var/lib/etcd/heal-node/aside')).code, 2);
    await third.cli('heal', '--yes');
    assert.is(await walFiles(third), data, 'nor does an operator heal it by mistake');
  },
);
