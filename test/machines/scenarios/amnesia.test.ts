import { rmSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { breakages } from '../bed/breakage.ts';
import { scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { serves } from '../bed/world.ts';

/** Nodes whose etcd starts without asking the gate. */
const image = (dir: string) => rmSync(join(dir, 'etc/systemd/system/etcd.service.d/10-heal-node-gate.conf'));

scenario(
  'two wiped members have founded an empty cluster, and the third has the data: hands off',
  { image },
  async (stage) => {
    const { bed, machine, client, appCenter } = stage;
    const [one, two, third] = [machine(1), machine(2), machine(3)];
    const writer = client();
    await writer.writes(300);
    await writer.stop();
    await third.powerOff();
    for (const wiped of [one, two]) {
      await wiped.powerOff();
      breakages['data-gone'](wiped);
    }
    // systemd starts etcd at boot by itself, without any hook: with state new and no third they found a cluster.
    await Promise.all([one.powerOn(), two.powerOn()]);
    await until('an empty cluster serves', () => serves(bed, one));
    // Its etcd stays on its way up for as long as systemd lets it, and so does its boot.
    await third.powerOn(false);
    const wal = () => third.sh('cd /var/lib/etcd/default.etcd/member/wal; ls -i');
    const data = await wal();
    const platform = appCenter();
    await until('AppCenter has called two actions', async () => platform.actionsOn(third).length >= 2);
    await platform.stop();

    for (const { code, output } of platform.actionsOn(third)) {
      assert.is(code, 3, output);
      assert.match(output, /amnesia \(amnesia\/ahead\).*Nothing is done.*For a person: /);
    }
    assert.is(await wal(), data, 'the last copy of the data is untouched');
    assert.is((await third.run('ls', '/var/lib/etcd/heal-node/aside')).code, 2);
    await third.run('/usr/local/bin/heal-node', 'heal');
    assert.is(await wal(), data, 'nor does an operator heal it by mistake');
  },
);
