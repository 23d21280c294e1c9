import * as assert from 'uvu/assert';
import { scenario, withSettings } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { keysOn, memberList, serves } from '../bed/world.ts';
import { walFiles } from './founded-anew.ts';

scenario(
  'after a total loss a person founds again; one whose data come back is not wiped until a person says so',
  { image: withSettings('HEAL_START_WAIT=5s') },
  async (stage) => {
    const { bed, machine, machines, client } = stage;
    const [one, two, third] = [machine(1), machine(2), machine(3)];
    const writer = client();
    await writer.writes(200);
    await writer.stop();
    for (const each of machines) await each.hook('health-action');

    // Two have lost their volumes; the third is off, and nobody thinks of it.
    await Promise.all(machines.map((each) => each.powerOff()));
    for (const each of [one, two]) each.freshDataDisk();
    await Promise.all([one, two].map((each) => each.powerOn()));
    const early = await one.hook('start');
    assert.is(early.code, 3, early.stdout);
    assert.match(early.stdout, /heal-node adopt --found/);
    for (const each of [one, two]) {
      const adopted = await each.cli('adopt', '--found');
      assert.is(adopted.code, 0, adopted.stdout);
    }
    const started = await Promise.all([one, two].map((each) => each.hook('start')));
    assert.equal(
      started.map(({ code }) => code),
      [0, 0],
      started.map(({ stdout }) => stdout).join(' '),
    );
    await until('the new cluster serves', () => serves(bed, one));
    assert.equal([...(await keysOn(bed, one, 'w/'))], []);
    assert.is((await one.cli('adopt', '--found')).code, 3, 'a member that runs founds nothing');

    // The third comes back with everything that was written: it is kept, whatever is called.
    await third.powerOn(false);
    await until('its gate has refused', async () =>
      /gate-refused.*founded anew/.test(await third.sh('cat /var/log/heal-node/heal-node.log; true')),
    );
    const data = await walFiles(third);
    for (const { stdout } of [await third.hook('health-action'), await third.cli('heal', '--yes')])
      assert.match(stdout, /amnesia/);
    assert.is(await walFiles(third), data);

    // Started beside one that runs, it would go on with another history.
    await two.sh('systemctl stop etcd');
    const kept = await third.cli('adopt', '--keep');
    assert.is(kept.code, 3, kept.stdout);
    assert.match(kept.stdout, /another member answers; stop etcd on the others first/);
    await two.sh('systemctl start etcd');
    await until('the new cluster serves again', () => serves(bed, one));

    // A person gives that up: it joins the new cluster, and its data are kept aside.
    const given = await third.cli('adopt', '--discard-ahead');
    assert.is(given.code, 0, given.stdout);
    assert.match(
      (await third.cli('heal', '--yes')).stdout,
      /amnesia\/other-birthmark/,
      'and which cluster it belongs to',
    );
    assert.is((await third.cli('adopt')).code, 0);
    const heal = await third.cli('heal', '--yes');
    assert.is(heal.code, 0, heal.stdout + heal.stderr);
    assert.match(heal.stdout, /Healed in/);
    assert.is((await third.hook('health-check')).code, 0);
    assert.is((await memberList(bed, one)).length, 3);
    assert.equal([...(await keysOn(bed, third, 'w/'))], []);
    assert.match(await third.sh('ls /var/lib/etcd/heal-node/aside/*/default.etcd/member/wal'), /\.wal/);

    // Now all three lose theirs.
    for (const each of machines) await each.hook('health-action');
    await Promise.all(machines.map((each) => each.powerOff()));
    for (const each of machines) each.freshDataDisk();
    await Promise.all(machines.map((each) => each.powerOn()));
    for (const each of machines) assert.is((await each.cli('adopt', '--found')).code, 0);
    const restarts = await Promise.all(machines.map((each) => each.run('/opt/app/bin/ctl.sh', 'restart')));
    assert.equal(
      restarts.map(({ code }) => code),
      [0, 0, 0],
    );
    for (const each of machines)
      await until(`${each.name} is healthy`, async () => (await each.hook('health-check')).code === 0);
  },
);
