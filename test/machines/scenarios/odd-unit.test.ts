import { appendFileSync, chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { breakDisk } from '../bed/breakage.ts';
import { healed, scenario } from '../bed/scenario.ts';
import { originals } from '../bed/world.ts';
import { expectHealed, idsOf } from './stories.ts';

/** A unit as people leave it: several environment files, a dash, comments, odd spacing, owner and mode, drop-ins. */
const UNIT = `# etcd, as somebody left it
[Unit]
Description = etcd
After=network.target
Conflicts=etcd-restore.service

[Service]
Type=notify
Restart=always
User=etcd
# EnvironmentFile=/opt/app/conf/etcd.env
EnvironmentFile=-/opt/app/conf/extra.env
   EnvironmentFile =  /opt/app/conf//etcd.env\t
ExecStart=/opt/etcd/current/etcd \\
  $etcdOpts
LimitNOFILE=65536
TimeoutStartSec=100

[Install]
WantedBy=multi-user.target`;

function image(dir: string): void {
  const unit = join(dir, 'etc/systemd/system/etcd.service');
  writeFileSync(unit, UNIT);
  chmodSync(unit, 0o640);
  chownSync(unit, 0, 7);
  writeFileSync(join(dir, 'opt/app/conf/extra.env'), 'ETCD_MAX_SNAPSHOTS=3\n');
  const dropIns = join(dir, 'etc/systemd/system/etcd.service.d');
  mkdirSync(dropIns, { recursive: true });
  writeFileSync(
    join(dropIns, '10-note.conf'),
    '[Service]\nExecStartPre=+/bin/sh -c "echo %n >> /var/tmp/started"\n',
  );
  appendFileSync(join(dropIns, '20-limit.conf'), '[Service]\nLimitCORE = 0\n');
}

scenario(
  'an odd unit with drop-ins comes back byte for byte, with owner and mode',
  { image },
  async (stage) => {
    const { machine, appCenter } = stage;
    const bad = machine(2);
    const before = { ids: await idsOf(stage), originals: await originals(bad) };
    assert.match(before.originals, /etcd\.service 640 root:lp/);
    assert.match(before.originals, /20-limit\.conf/);
    await bad.powerOff();
    await breakDisk(bad, 'data-gone');
    await bad.powerOn();
    appCenter();
    await healed(bad);

    await expectHealed(stage, 2, before);
    const started = (await bad.sh('cat /var/tmp/started')).split('\n');
    assert.ok(started.includes('etcd1.service'), 'the drop-ins were in force on the copy too');
    assert.is(started.at(-1), 'etcd.service');
  },
);
