import * as assert from 'uvu/assert';
import { gateRefused, healed, scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { originals, serves } from '../bed/world.ts';
import { expectAllWrites, expectHealed, idsOf } from './stories.ts';

/**
 * Long enough that the gate refuses, and its heal begins, while nobody leads, also on a slow machine: the others elect
 * after 20 to 40 s.
 */
const appEnv = { ETCD_ELECTION_TIMEOUT: '20000' };

scenario(
  'the leader is the one that dies, and its heal begins while the others have none',
  { appEnv },
  async (stage) => {
    const { bed, machines, client } = stage;
    const endpoints = machines.map(({ endpoint }) => endpoint);
    // The first election may take as long, and until then none answers.
    const leader = await until('one member leads', async () => {
      const status = await bed.etcdctl(endpoints, 'endpoint', 'status').catch(() => '');
      return machines[status.split('\n').findIndex((line) => line.split(', ')[4] === 'true')];
    });
    const others = machines.filter((each) => each !== leader);
    const before = { ids: await idsOf(stage), originals: await originals(leader) };
    const writer = client();
    await writer.writes(50);

    // Process and data at once. Nobody calls a hook: the gate's refusal alone has it healed.
    await leader.sh('rm -rf /var/lib/etcd/default.etcd; systemctl kill --signal=SIGKILL etcd');
    await gateRefused(leader);
    const served = await Promise.all(others.map((each) => serves(bed, each)));
    assert.equal(served, [false, false], 'nobody leads when the heal begins');
    await healed(leader);
    await writer.writes(50);
    await writer.stop();

    await expectHealed(stage, leader.sid, before);
    await expectAllWrites(bed, machines, writer);
    const { heals } = await leader.cliJson('history');
    assert.equal(
      heals.map(({ by, outcome }: Record<string, string>) => `${by} ${outcome}`),
      ['gate healed'],
    );
  },
);
