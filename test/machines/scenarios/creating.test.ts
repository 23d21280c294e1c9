import * as assert from 'uvu/assert';
import { type Stage, scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { memberList } from '../bed/world.ts';
import { idsOf } from './stories.ts';

/** All serve, as the members that they were founded as, and no heal was ever begun. */
async function expectFounded(stage: Stage, ids?: ReadonlyMap<string, string>): Promise<void> {
  const { bed, machine, machines } = stage;
  for (const each of machines)
    await until(`${each.name} is healthy`, async () => (await each.hook('health-check')).code === 0);
  const list = await memberList(bed, machine(1));
  assert.equal(
    list.map(({ name }) => name).sort(),
    machines.map(({ name }) => name),
  );
  if (ids) assert.equal(await idsOf(stage), ids, 'nobody was replaced');
  for (const each of machines) assert.equal((await each.cliJson('history')).heals, [], each.name);
}

scenario(
  'nothing keeps clusters from being created one after the other, with reboots and restarts in between',
  { created: false },
  async (stage) => {
    const { machine, machines, client } = stage;
    const [one, two, three] = [machine(1), machine(2), machine(3)];
    const starts = async (...of: readonly (typeof one)[]): Promise<void> => {
      for (const { code, stdout, stderr } of await Promise.all(of.map((each) => each.hook('start')))) {
        assert.is(code, 0, stdout + stderr);
        assert.not.match(stdout, /Waiting|Healed/);
      }
    };

    // Two of three are a quorum, and serve before the third has been started for the first time.
    await starts(one, two);
    await starts(three);
    await expectFounded(stage);
    const ids = await idsOf(stage);

    // Nobody has written anything yet.
    await three.powerOff();
    await three.powerOn();
    await expectFounded(stage, ids);
    await two.sh('systemctl kill --signal=SIGKILL etcd; systemctl stop etcd');
    const { stdout } = await two.hook('health-action');
    assert.match(stdout, /Restarted with/);
    await Promise.all(machines.slice(0, 2).map((each) => each.run('/opt/app/bin/ctl.sh', 'restart')));
    await expectFounded(stage, ids);

    // A client writes, AppCenter's first checks come, and the nodes are restarted and rebooted again.
    const writer = client();
    await writer.writes(20);
    for (const each of machines) await each.hook('health-action');
    await two.run('/opt/app/bin/ctl.sh', 'restart');
    await Promise.all(machines.map((each) => each.powerOff()));
    await Promise.all(machines.map((each) => each.powerOn()));
    await expectFounded(stage, ids);
    await writer.writes(20);
    await writer.stop();

    // It is deleted, and another one created on the same addresses; the first node loses its power in the middle.
    await Promise.all(machines.map((each) => each.powerOff()));
    for (const each of machines) {
      each.freshDataDisk();
      each.resetRootDisk();
    }
    await Promise.all(machines.map((each) => each.powerOn()));
    const cut = one.run('/opt/heal-node/bin/start');
    await until(
      'its log begins',
      async () => (await one.run('sh', '-c', 'ls /var/lib/etcd/default.etcd/member/wal/*.wal')).code === 0,
      180_000,
      20,
    );
    await one.powerOff();
    await cut;
    await starts(two, three);
    await one.powerOn();
    await starts(one);
    await expectFounded(stage);
    const again = await idsOf(stage);
    await Promise.all(machines.map((each) => each.run('/opt/app/bin/ctl.sh', 'restart')));
    await expectFounded(stage, again);
  },
);
