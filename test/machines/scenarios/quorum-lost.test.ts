import * as assert from 'uvu/assert';
import { breakDisk } from '../bed/breakage.ts';
import { healed, scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { originals, traces } from '../bed/world.ts';
import { expectAllWrites, expectHealed, idsOf } from './stories.ts';

const WAL = 'cd /var/lib/etcd/default.etcd/member/wal; ls -i; cat *.wal | md5sum';

scenario(
  'with the quorum lost, membership and data are left alone, and with the others back the member is healed',
  {},
  async (stage) => {
    const { bed, machine, machines, appCenter, client } = stage;
    const [bad, off, survivor] = [machine(2), machine(3), machine(1)];
    const before = { ids: await idsOf(stage), originals: await originals(bad) };
    const writer = client();
    await writer.writes(100);
    await writer.stop();

    await bad.powerOff();
    await off.powerOff();
    await breakDisk(bad, 'wal-damaged');
    await bad.powerOn();
    const damaged = await bad.sh(WAL);
    // In the moment in which systemd tries it anew its process lives.
    const actionOnBad = until('the action restarts what is dead', async () => {
      const { stdout } = await bad.hook('health-action');
      return /\(quorum-lost\/no-leader\).*`\/opt\/app\/bin\/ctl\.sh restart` (failed|is under way)/.test(
        stdout,
      );
    });
    const [onSurvivor] = await Promise.all([survivor.hook('health-action'), actionOnBad]);
    assert.match(onSurvivor.stdout, /\(quorum-lost\/others-silent\).*Its process lives, so nothing is done/);
    // Between two of its starts it may look as if it were on its way up.
    const byHand = await until('the verdict is quorum-lost', async () => {
      const { stdout } = await bad.cli('diagnose');
      return stdout.startsWith('etcd2 is quorum-lost') && stdout;
    });
    assert.match(byHand, /^This node holds: cluster [0-9a-f]+, member [0-9a-f]+, /m);
    assert.match(byHand, /10\.77\.0\.13:2379 does not answer.*10\.77\.0\.11:2379 has the newest data\.$/m);
    assert.match(byHand, /^1\. First, and best: bring the other members back as they are/m);
    const refused = await bad.cli('heal', '--yes');
    assert.match(refused.stdout, /quorum-lost/, refused.stdout + refused.stderr);
    assert.is(await bad.sh(WAL), damaged, 'the damaged data are where they were, byte for byte');
    assert.is(await originals(bad), before.originals, 'unit and environment were not touched');
    assert.is(await traces(bad), '');
    for (const each of [bad, survivor])
      assert.equal((await each.cliJson('history')).heals, [], `no heal was begun on ${each.name}`);

    // The others come back: the cluster is as it was, and now the member is healed.
    await off.powerOn();
    assert.equal(await idsOf({ ...stage, machines: [survivor, off] }), without(before.ids, bad.name));
    appCenter();
    await healed(bad);
    await expectHealed(stage, bad.sid, before);
    await expectAllWrites(bed, machines, writer);
  },
);

const without = (ids: ReadonlyMap<string, string>, name: string): Map<string, string> =>
  new Map([...ids].filter(([each]) => each !== name));
