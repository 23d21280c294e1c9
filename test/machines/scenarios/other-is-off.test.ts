import * as assert from 'uvu/assert';
import { tailOf } from '../../../src/report/read-log.ts';
import { breakDisk } from '../bed/breakage.ts';
import { healed, scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { memberList, originals, serves } from '../bed/world.ts';
import { expectHealed, idsOf } from './stories.ts';

scenario(
  'a stale member of five waits while another is merely switched off, says so, and ends when it is back',
  { members: 5 },
  async (stage) => {
    const { bed, machine, appCenter } = stage;
    const [bad, off] = [machine(2), machine(4)];
    const before = { ids: await idsOf(stage), originals: await originals(bad) };
    await off.powerOff();
    await bad.powerOff();
    await breakDisk(bad, 'wal-gone');
    const tail = tailOf(bad.onRootDisk('/var/log/heal-node/heal-node.log'));
    await bad.powerOn();
    const platform = appCenter();
    // At the first refusal already, not when it gives up after all of them.
    await until('the old ID is removed, and the heal says whom it waits for', async () =>
      tail().some((line) =>
        /"event":"asked-again".*unhealthy cluster.*etcd4 [0-9a-f]+ \(http:\/\/10\.77\.0\.14:2380\)/.test(
          line,
        ),
      ),
    );
    const limits =
      'grep -E "^(CapBnd|NoNewPrivs):" /proc/$(systemctl show -p MainPID --value heal-node)/status';
    assert.is(await bad.sh(limits), 'CapBnd:\t00000000200800df\nNoNewPrivs:\t1', 'it works in its sandbox');
    assert.match(
      (await bad.run('systemctl', 'status', 'heal-node')).stdout,
      /Status: "add: add this member.*\(heal \d{8}T/,
    );
    assert.match((await bad.cli('status')).stdout, /etcd2 is healing.*\n[\s\S]*under way at add/);
    assert.ok(await serves(bed, machine(1)), 'the others serve');
    const list = await memberList(bed, machine(1));
    assert.equal(
      list.map(({ name }) => name).sort(),
      ['etcd1', 'etcd3', 'etcd4', 'etcd5'],
      'the one that is off is left alone',
    );
    await off.powerOn();
    await healed(bad);
    const ended = await bad.run('systemctl', 'show', '--property=StatusText', 'heal-node');
    assert.match(ended.stdout, /^StatusText=Healed in \d+ ms: etcd2, /);
    await platform.stop();
    await expectHealed(stage, 2, before);
  },
);
