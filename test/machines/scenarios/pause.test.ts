import * as assert from 'uvu/assert';
import { goStale } from '../bed/breakage.ts';
import { scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { etcdFailed, originals } from '../bed/world.ts';
import { expectHealed, idsOf } from './stories.ts';

scenario(
  'while heals are paused, on a node or in the whole cluster, none is begun, and everything says so',
  {},
  async (stage) => {
    const { machine } = stage;
    const bad = machine(2);
    const before = { ids: await idsOf(stage), originals: await originals(bad) };
    const paused = await bad.cli('pause', '--for', '2h', '--reason', 'new cable');
    assert.match(
      paused.stdout,
      /^From now on heals are paused on this node until .*Z by root@etcd2: new cable; `heal-node unpause`/,
    );
    assert.is((await bad.hook('health-check')).code, 0, 'checks go on');
    await goStale(bad, 'wal-damaged');
    await etcdFailed(bad);

    const says = /heals are paused on this node until .*Z by root@etcd2: new cable/;
    const action = await bad.hook('health-action');
    assert.is(action.code, 3);
    assert.match(action.stdout, says);
    assert.match((await bad.cli('status')).stdout, says);
    assert.match((await bad.cli('plan')).stdout, new RegExp(`guard not-paused: refuses, ${says.source}`));
    assert.match((await bad.cli('metrics')).stdout, /^heal_node_paused 1$/m);
    assert.is((await bad.cli('heal', '--yes')).code, 3);
    assert.equal(await idsOf(stage), before.ids);

    // On another node for all: this one's own is over, and the cluster's is not.
    const all = await machine(1).cli('pause', '--cluster', '--for', '15s', '--reason', "all hosts' firmware");
    assert.is(all.code, 0, all.stderr);
    assert.match((await bad.cli('unpause')).stdout, /Heals are not paused any more on this node/);
    const refused = await bad.hook('health-action');
    assert.is(refused.code, 3);
    assert.match(
      refused.stdout,
      /heals are paused in the whole cluster until .*Z, which each new leader begins anew, by root@etcd1: all hosts' firmware/,
    );
    const again = await machine(3).cli('pause', '--cluster', '--for', '2s', '--reason', 'a little more');
    assert.is(again.code, 0, again.stderr);
    await until('the lease is over', async () => (await bad.cliJson('status')).paused === null);
    assert.match((await bad.cli('unpause', '--cluster')).stdout, /Heals were not paused in the cluster/);
    assert.is((await bad.hook('health-action')).code, 0);
    await expectHealed(stage, 2, before);
  },
);
