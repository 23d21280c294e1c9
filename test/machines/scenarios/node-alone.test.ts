import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { breakDisk } from '../bed/breakage.ts';
import { healed, scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { etcdFailed, idOf } from '../bed/world.ts';

const CTL = '/opt/app/bin/ctl.sh';
const DOCTOR_FINDS = /^ {2}FIX {2}checked: .*cluster\.json.*$/m;

/** The commands with which README says that it is removed. */
const README = readFileSync(join(import.meta.dirname, '../../../README.md'), 'utf8');
const removal = /```sh\n(heal-node uninstall\n[\s\S]*?)```/.exec(README)?.[1] ?? '';

scenario(
  "on a node alone, where AppCenter calls the app's own scripts, heal-node does what README says, and is removed",
  { created: false },
  async ({ bed, machine, machines }) => {
    await Promise.all(machines.map((each) => each.sh(`${CTL} start`)));
    const bad = machine(2);
    const serves = () => until('it serves', async () => (await bad.run(CTL, 'check')).code === 0);
    await serves();
    assert.match((await bad.cli('doctor')).stdout, DOCTOR_FINDS);

    // Data that are gone are healed at boot; what else is stale waits for a person.
    await bad.powerOff();
    await breakDisk(bad, 'data-gone');
    await bad.powerOn(false);
    await healed(bad);
    const id = await idOf(bed, machine(1), bad);
    await bad.powerOff();
    await breakDisk(bad, 'wal-damaged');
    await bad.powerOn(false);
    await etcdFailed(bad);
    assert.is((await bad.run(CTL, 'restart')).code, 1);
    assert.is(await idOf(bed, machine(1), bad), id);
    const heal = await bad.cli('heal', '--yes');
    assert.is(heal.code, 0, heal.stdout);

    // Installed again, as for an upgrade: the settings stay, and etcd runs on.
    const pid = () => bad.sh('systemctl show etcd -p MainPID');
    const before = await pid();
    await bad.sh(`cp /opt/heal-node/bin/heal-node /root/
      echo HEAL_MODE=manual >> /opt/app/conf/heal-node.env
      echo >> /etc/systemd/system/heal-node.service`);
    assert.match(await bad.sh('/root/heal-node install'), /laid \/etc\/systemd\/system\/heal-node\.service/);
    assert.match(await bad.sh('/root/heal-node install'), /Everything was in place already/);
    assert.match(await bad.sh('tail -1 /opt/app/conf/heal-node.env'), /HEAL_MODE=manual/);

    await bad.sh(`set -e; export PATH=/usr/local/bin:$PATH; rm /root/heal-node; ${removal}`);
    const left = await bad.sh('find /etc /opt /usr /var/lib /var/log /run -name "*heal-node*"');
    assert.is(left.trim().replace(/^\/run\/.*\n?/gm, ''), '', 'only what is in memory is left');
    assert.is(await pid(), before, 'etcd runs on');
    assert.is((await bad.run(CTL, 'restart')).code, 0);
    await serves();
  },
);
