import * as assert from 'uvu/assert';
import { goStale } from '../bed/breakage.ts';
import { scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { etcdFailed, pastHeals, unitState } from '../bed/world.ts';

scenario('status fits one screen, and with --watch it follows a heal to its end', {}, async ({ machine }) => {
  const bad = machine(2);
  const well = (await bad.cli('status')).stdout;
  assert.match(well, /^etcd2 is healthy/);
  assert.is(well.match(/^ {4}serves: leader etcd\d, term \d+, revision \d+, 3 members$/gm)?.length, 3, well);
  assert.match((await bad.cli('status', '--watch')).stdout, /^No heal is under way\.$/);

  await goStale(bad, 'wal-damaged');
  await etcdFailed(bad);
  const ill = (await bad.cli('status')).stdout;
  assert.match(ill, /\(this node\)\n {4}does not serve: /);
  assert.ok(ill.split('\n').length < 24 && !ill.includes('\x1b'), ill);

  await bad.sh('echo HEAL_MODE=manual >> /opt/app/conf/heal-node.env');
  await bad.sh('/usr/local/bin/heal-node heal --yes >/dev/null 2>&1 &');
  const follows = () =>
    until('a heal is under way', async () => {
      const { stdout, code } = await bad.cli('status', '--watch');
      return !stdout.startsWith('No heal') && { stdout, code };
    });
  const { stdout, code } = await follows();
  assert.is(code, 0);
  assert.match(stdout, /heal-node\.service: fence: .*\n/);
  assert.match(stdout, /verify: .*\n[\s\S]*Healed in \d+ ms: etcd2/);
  assert.is(pastHeals(bad).at(-1)?.outcome, 'healed');

  // A heal that has ended without its note: `heal` on a terminal knows of it, too.
  await bad.sh('cd /var/lib/etcd/heal-node; cp history/*.json journal.json');
  const asked = await bad.run('bash', '-c', 'echo n | script -qec "/usr/local/bin/heal-node heal" /dev/null');
  assert.match(
    asked.stdout,
    /Heal \S+ is not finished; `heal-node resume` takes it up.*Heal this member now/s,
  );
  const drawn = await bad.run('script', '-qec', '/usr/local/bin/heal-node status --watch', '/dev/null');
  assert.ok(drawn.stdout.includes('\x1b[J'));

  // One that is taken up again is followed too: how the run before has ended is not its end.
  for (const sid of [1, 3]) await machine(sid).sh('systemctl stop etcd');
  await bad.sh('systemctl start --no-block heal-node');
  const again = await bad.run('timeout', '5', '/usr/local/bin/heal-node', 'status', '--watch');
  assert.is(await unitState(bad, 'heal-node'), 'active', 'it waits for the others');
  assert.is(again.code, 124, again.stdout);
});
