import * as assert from 'uvu/assert';
import { GATE_DROP_IN } from '../../../src/state/places.ts';
import { breakDisk } from '../bed/breakage.ts';
import { gateRefused, scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { memberList, serves, traces, unitState } from '../bed/world.ts';
import { expectAllWrites } from './stories.ts';

/** systemd before 231 leaves out what begins with a plus, and before 232 gives no service an ID. */
const AS_OLD_SYSTEMD =
  `f=/etc/systemd/system/etcd.service.d/${GATE_DROP_IN} && grep -q =+ $f && sed -i '/=+/d' $f && ` +
  'printf "[Service]\\nUnsetEnvironment=INVOCATION_ID\\n" >/etc/systemd/system/etcd.service.d/50-old.conf && systemctl daemon-reload';

scenario('two wiped members whose third is off found no empty cluster', {}, async (stage) => {
  const { bed, machine, machines, client } = stage;
  const [one, two, third] = [machine(1), machine(2), machine(3)];
  const wiped = [one, two];
  const writer = client();
  await writer.writes(100);
  await writer.stop();
  // A healthy look marks a node as one that has been a member; AppCenter's checks do it within minutes.
  for (const each of machines) await each.hook('health-action');
  const list = await memberList(bed, one);
  await two.sh(AS_OLD_SYSTEMD);
  await third.powerOff();
  for (const each of wiped) {
    await each.powerOff();
    await breakDisk(each, 'data-gone');
  }
  await Promise.all(wiped.map((each) => each.powerOn()));
  const nothingIsFounded = async (when: string): Promise<void> => {
    const actions = await Promise.all(wiped.map((each) => each.hook('health-action')));
    for (const { code, stdout } of actions) {
      assert.is(code, 3, `${when}: ${stdout}`);
      assert.match(stdout, /amnesia\/alone-without-data.*Nothing is done/, when);
    }
    for (const each of wiped) {
      await each.sh('systemctl reset-failed etcd; systemctl start etcd || true');
      assert.is.not(await unitState(each), 'active', when);
      assert.is((await each.run('ls', '/var/lib/etcd/default.etcd/member')).code, 2, `${when}: no data`);
    }
  };
  await Promise.all(wiped.map(gateRefused));
  await nothingIsFounded('with the third off');

  // The third comes back with the data: it is what the cluster is, and nobody serves without it.
  await third.powerOn(false);
  const peers = `http://${third.ip}:2380/members`;
  for (const each of wiped)
    await until(`its etcd is in reach of ${each.name}`, async () => {
      const { stdout } = await each.run('curl', '-s', '-m', '5', peers);
      return list.every(({ peerUrl }) => stdout.includes(peerUrl));
    });
  await nothingIsFounded('with the third in reach');
  assert.equal(await Promise.all(machines.map((each) => serves(bed, each))), [false, false, false]);
  for (const each of machines) assert.equal((await each.cliJson('history')).heals, [], 'no heal was begun');

  // A person repairs the cluster from what the third has: all of it is there.
  const ran = await Promise.all(
    machines.map((each) =>
      each.run('/opt/app/bin/ctl.sh', 'repair', JSON.stringify({ 'node.ip': third.ip })),
    ),
  );
  for (const { code, stdout, stderr } of ran) assert.is(code, 0, stdout + stderr);
  for (const each of machines) {
    await until(`${each.name} is healthy`, async () => (await each.hook('health-check')).code === 0);
    await until(`nothing of ours is under way on ${each.name}`, async () => (await traces(each)) === '');
    // What the gate had asked for may have looked while the list was the third's alone, and found the member well then.
    const { heals } = await each.cliJson('history');
    const did = (heals as { steps: { id: string }[] }[]).flatMap(({ steps }) => steps.map(({ id }) => id));
    assert.equal(
      did.filter((id) => id !== 'verify' && id !== 'confirm'),
      [],
      'and no heal has done anything beside it',
    );
  }
  assert.is((await memberList(bed, one)).length, 3);
  await expectAllWrites(bed, machines, writer);
});
