import * as assert from 'uvu/assert';
import { scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { idOf, originals } from '../bed/world.ts';
import { expectHealed, idsOf } from './stories.ts';

scenario('a heal under alarms ends, and disarms those of the removed member alone', {}, async (stage) => {
  const { bed, machine } = stage;
  const [witness, bad] = [machine(1), machine(2)];
  const before = { ids: await idsOf(stage), originals: await originals(bad) };
  const raise = async (sid: number): Promise<string> => {
    const memberID = BigInt(`0x${await idOf(bed, witness, machine(sid))}`).toString();
    const body = JSON.stringify({ action: 'ACTIVATE', memberID, alarm: 'NOSPACE' });
    await witness.sh(`curl -sf -X POST -d '${body}' ${witness.endpoint}/v3/maintenance/alarm`);
    return `memberID:${memberID} alarm:NOSPACE`;
  };
  const alarms = async (): Promise<string[]> =>
    (await bed.etcdctl([witness.endpoint], 'alarm', 'list'))
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean)
      .sort();
  const [own, other] = [await raise(2), await raise(3)];
  assert.equal(await alarms(), [own, other].sort());

  await bad.sh('systemctl stop etcd; rm -rf /var/lib/etcd/default.etcd/member/wal');
  await bad.sh('systemctl start --no-block etcd');
  await until(
    'it is healed',
    async () => {
      await bad.hook('health-action');
      const { stdout } = await bad.run('/usr/local/bin/heal-node', 'status', '--json');
      const { heal, lastHeal } = JSON.parse(stdout || '{}');
      return heal === null && lastHeal?.outcome === 'healed';
    },
    180_000,
    1000,
  );
  assert.equal(await alarms(), [other]);
  const history = await bad.sh('cat /var/lib/etcd/heal-node/history/*.json');
  assert.match(history, /its alarm NOSPACE of [0-9a-f]+ is disarmed/);
  assert.match(history, /alarms that are raised: NOSPACE of [0-9a-f]+/);
  await bed.etcdctl([witness.endpoint], 'alarm', 'disarm');
  await expectHealed(stage, 2, before);
});
