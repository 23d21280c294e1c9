import * as assert from 'uvu/assert';
import { healed, scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { etcdFailed, keysOn, originals, unitState } from '../bed/world.ts';
import { expectHealed, idsOf } from './stories.ts';

const DATA = '/var/lib/etcd/default.etcd';

scenario(
  'a member whose log ends too early is not restarted while the others are off, and heals when they are back',
  {},
  async (stage) => {
    const { bed, machine, machines, client } = stage;
    const [bad, first, second] = [machine(2), machine(1), machine(3)];
    const before = { ids: await idsOf(stage), originals: await originals(bad) };
    const writer = client();
    await bad.sh(
      `systemctl stop etcd; cp -a --sparse=always ${DATA} /var/lib/etcd/older; systemctl start etcd`,
    );
    await writer.writes(50);
    // A write would bring it what it lacks before the leader's next heartbeat shows that it lacks it.
    await writer.stop();
    await bad.sh(
      `systemctl stop etcd; rm -r ${DATA}; mv /var/lib/etcd/older ${DATA}; systemctl start etcd || true`,
    );
    await etcdFailed(bad);
    await first.powerOff();
    await second.powerOff();

    const action = () => bad.hook('health-action');
    const refuses = async (others: string): Promise<void> => {
      const refused = await action();
      assert.is(refused.code, 3, others);
      assert.match(refused.stdout, /amnesia\/log-short.*Nothing is done.*start nothing here/);
      assert.is(await unitState(bad), 'failed', `${others}: it could vote for a leader that lacks writes`);
    };
    await refuses('both off');
    // It has booted when its etcd is active, for which it needs the other.
    const boots = [first.powerOn()];
    await until('one has an etcd', async () => first.isOn && (await unitState(first)) === 'activating');
    await refuses('one back, which is no quorum');
    boots.push(second.powerOn());
    await Promise.all(boots);
    await until('the heal is done', async () => (await action()).code === 0);
    await healed(bad);
    await expectHealed(stage, 2, before);
    for (const each of machines) {
      const keys = await keysOn(bed, each, 'w/');
      assert.equal(
        writer.acknowledged.filter((key) => !keys.has(key)),
        [],
        `all writes are on ${each.name}`,
      );
    }
  },
);
