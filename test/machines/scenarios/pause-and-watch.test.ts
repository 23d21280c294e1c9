import * as assert from 'uvu/assert';
import { goStale } from '../bed/breakage.ts';
import { scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { etcdFailed, originals } from '../bed/world.ts';
import { expectHealed, idsOf } from './stories.ts';

const BY = 'by root@etcd';

scenario(
  'a person pauses heals on a node and in the whole cluster, and watches the one that follows',
  {},
  async (stage) => {
    const { machine } = stage;
    const bad = machine(2);
    const before = { ids: await idsOf(stage), originals: await originals(bad) };
    const well = (await bad.cli('status')).stdout;
    assert.is(
      well.match(/^ {4}serves: leader etcd\d, term \d+, revision \d+, 3 members$/gm)?.length,
      3,
      well,
    );
    assert.is((await bad.cli('status', '--watch')).stdout, 'No heal is under way; see `heal-node status`.');

    const paused = await bad.cli('pause', '--for', '2h', '--reason', 'new cable');
    assert.match(
      paused.stdout,
      /^From now on heals are paused on this node until .*Z by root@etcd2: new cable; /,
    );
    assert.is((await bad.hook('health-check')).code, 0, 'checks go on');
    await goStale(bad, 'wal-damaged');
    await etcdFailed(bad);

    const says = /heals are paused on this node until .*Z by root@etcd2: new cable; `heal-node unpause` ends/;
    const action = await bad.hook('health-action');
    assert.is(action.code, 3);
    assert.match(action.stdout, says);
    const { stdout: screen } = await bad.cli('status');
    assert.match(screen, says);
    assert.match(screen, /\(this node\)\n {4}does not serve: /);
    assert.ok(screen.split('\n').length < 24 && !screen.includes('\x1b'), screen);
    assert.match((await bad.cli('plan')).stdout, new RegExp(`guard not-paused: refuses, ${says.source}`));
    assert.match((await bad.cli('metrics')).stdout, /^heal_node_paused 1$/m);
    assert.is((await bad.cli('heal', '--yes')).code, 3);
    assert.match((await bad.cli('resume')).stdout, /^No heal or runbook is unfinished; /);

    // On another node for all: this one's own is over, and the cluster's is not.
    const all = await machine(1).cli('pause', '--cluster', '--for', '1h', '--reason', "all hosts' firmware");
    assert.is(all.code, 0, all.stderr);
    assert.match((await bad.cli('unpause')).stdout, /Heals are not paused any more on this node/);
    const refused = await bad.hook('health-action');
    assert.is(refused.code, 3);
    assert.match(
      refused.stdout,
      new RegExp(
        `in the whole cluster until .*Z, which each new leader begins anew, ${BY}1: all hosts' firmware`,
      ),
    );
    const again = await machine(3).cli('pause', '--cluster', '--for', '2s', '--reason', 'a little more');
    assert.is(again.code, 0, again.stderr);
    await until('the lease is over', async () => (await bad.cliJson('status')).paused === null);
    assert.match(
      (await bad.cli('unpause', '--cluster')).stdout,
      /Heals were not paused in the whole cluster/,
    );

    // A value that is too long to be read with every question is no silence, and no heal begins beside it.
    await stage.bed.etcdctl([machine(1).endpoint], 'put', 'heal-node/note', 'x'.repeat(9000));
    const tooLong = await bad.hook('health-action');
    assert.is(tooLong.code, 3, tooLong.stdout);
    assert.match(
      tooLong.stdout,
      /is stale .*: the keys under heal-node\/ are too many, or too long .*; `etcdctl get/,
    );
    assert.is((await bad.cli('status')).stdout.match(/^ {4}serves: /gm)?.length, 2);
    await stage.bed.etcdctl([machine(1).endpoint], 'del', 'heal-node/note');
    assert.equal(await idsOf(stage), before.ids);

    await bad.sh('/usr/local/bin/heal-node heal --yes >/dev/null 2>&1 &');
    const watched = await until('a heal is under way', async () => {
      const { stdout, code } = await bad.cli('status', '--watch');
      return !stdout.startsWith('No heal') && { stdout, code };
    });
    assert.is(watched.code, 0);
    assert.match(watched.stdout, /: fence: .*\n[\s\S]*: verify: .*\n[\s\S]*Healed in \d+ ms: etcd2/);
    await expectHealed(stage, 2, before);

    // A heal that has ended without its note: `heal` on a terminal knows of it, too.
    await bad.sh('cd /var/lib/etcd/heal-node; cp history/*.json journal.json');
    const asked = await bad.run(
      'bash',
      '-c',
      'echo n | script -qec "/usr/local/bin/heal-node heal" /dev/null',
    );
    assert.match(
      asked.stdout,
      /Heal \S+ is not finished; `heal-node resume` takes it up.*Heal this member now/s,
    );
    const drawn = await bad.run('script', '-qec', '/usr/local/bin/heal-node status --watch', '/dev/null');
    assert.ok(drawn.stdout.includes('\x1b[J'), drawn.stdout);
  },
);
