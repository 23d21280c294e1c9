import * as assert from 'uvu/assert';
import { breakDisk } from '../bed/breakage.ts';
import { healed, scenario } from '../bed/scenario.ts';
import { originals } from '../bed/world.ts';
import { expectHealed, idsOf } from './stories.ts';

scenario('the leader is the one that dies', {}, async (stage) => {
  const { bed, machines, appCenter, client } = stage;
  const status = await bed.etcdctl(
    machines.map(({ endpoint }) => endpoint),
    'endpoint',
    'status',
  );
  const row = status.split('\n').findIndex((line) => line.split(', ')[4] === 'true');
  const leader = machines[row];
  assert.ok(leader, `one member leads: ${status}`);
  const before = { ids: await idsOf(stage), originals: await originals(leader) };
  const writer = client();
  await writer.writes(50);

  await leader.powerOff();
  await breakDisk(leader, 'data-gone');
  await leader.powerOn(); // At once: the others may still be electing.
  appCenter();
  await healed(leader);
  await writer.writes(50);
  await writer.stop();

  await expectHealed(stage, leader.sid, before);
});
