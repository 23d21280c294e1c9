import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { situationOf } from '../../src/diagnose/situation.ts';
import { observe } from '../../src/observe/observe.ts';
import type { World } from '../../src/observe/world.ts';
import { PLACES } from '../fake/observation.ts';
import { ThreeMembers } from '../fake/three-members.ts';

/** Member 2 does not serve, and its log was read when the others had gone on by so much since they answered. */
function looked(goneOn: bigint): { ahead: boolean; asked: number } {
  const fake = new ThreeMembers('none');
  fake.node.systemctl(['stop', 'etcd.service']);
  fake.pass(5000);
  return fake.run(async (world) => {
    let asked = 0;
    let known = 0n;
    const examine: World['machine']['examine'] = async (dirs, depth) => {
      const examination = await world.machine.examine(dirs, depth);
      if (depth === 'kind') return examination;
      known = examination.commit;
      return { ...examination, commit: examination.commit + 50n };
    };
    const cluster: World['cluster'] = (tls) => ({
      ...world.cluster(tls),
      ask: async (endpoint) => {
        asked++;
        const reply = await world.cluster(tls).ask(endpoint);
        return known === 0n ? reply : { ...reply, raftIndex: reply.raftIndex + goneOn };
      },
    });
    const observed = await observe({ ...world, cluster, machine: { ...world.machine, examine } });
    return { ahead: situationOf(observed, PLACES).ahead, asked };
  });
}

test('a log that was read after the others had answered is ahead of them only if it is when they are asked again', () => {
  const [gone, stood] = [looked(100n), looked(0n)];
  assert.equal([gone.ahead, stood.ahead], [false, true]);
  assert.is(gone.asked, stood.asked);
});

test.run();
