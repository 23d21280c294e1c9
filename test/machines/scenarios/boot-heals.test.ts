import { appendFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { breakDisk } from '../bed/breakage.ts';
import { healed, scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { etcdFailed, keysOn, originals, unitState } from '../bed/world.ts';
import { expectHealed, idsOf } from './stories.ts';

const SETTINGS = 'opt/app/conf/heal-node.env';
const DATA = '/var/lib/etcd/default.etcd';

scenario(
  'data that are gone are healed by the boot alone, where HEAL_AT_BOOT is on, and by the action where it is off',
  {},
  async (stage) => {
    const { bed, machine, machines, client } = stage;
    const writer = client();
    await writer.writes(50);
    for (const each of machines) await each.hook('health-action');
    const heals = async (sid: number) => (await machine(sid).cliJson('history')).heals;

    // AppCenter never calls. The volume is a fresh one: root's, and empty.
    const bad = machine(2);
    const before = { ids: await idsOf(stage), originals: await originals(bad) };
    await bad.powerOff();
    bad.freshDataDisk();
    await writer.writes(50);
    await bad.powerOn(false);
    await healed(bad);
    await expectHealed(stage, 2, before);
    assert.is((await bad.sh('stat -c %U /var/lib/etcd')).trim(), 'etcd', 'as the app gives it');
    const [heal, ...more] = await heals(2);
    assert.equal(more, []);
    assert.is(heal.by, 'gate');
    assert.is(heal.reason, 'stale/already-bootstrapped');

    // With HEAL_AT_BOOT=off nothing happens until the action comes.
    const quiet = machine(3);
    const beforeQuiet = { ids: await idsOf(stage), originals: await originals(quiet) };
    await quiet.powerOff();
    appendFileSync(quiet.onRootDisk(SETTINGS), 'HEAL_AT_BOOT=off\n');
    await breakDisk(quiet, 'data-gone');
    await quiet.powerOn();
    await etcdFailed(quiet);
    await until('the service of the boot has ended', async () =>
      /inactive|failed/.test(await unitState(quiet, 'heal-node')),
    );
    assert.equal(await heals(3), []);
    assert.is((await quiet.run('ls', DATA)).code, 2, 'nothing was founded');
    // Settings that are not root's alone keep the hooks from all that is theirs, and not the gate.
    await quiet.sh(`chmod 666 /${SETTINGS}`);
    const gate = await quiet.cli('gate');
    assert.is(gate.code, 3, gate.stdout + gate.stderr);
    assert.match(gate.stdout, /No heal follows until heal-node\.env is put right/);
    await quiet.sh(`chmod 600 /${SETTINGS}`);
    // On a slow machine the others may be electing a leader in that very moment.
    await until('the action heals', async () =>
      /stale\/already-bootstrapped.*(Healed in|The heal is under way)/.test(
        (await quiet.hook('health-action')).stdout,
      ),
    );
    await healed(quiet);
    await expectHealed(stage, 3, beforeQuiet);
    assert.is((await heals(3))[0].by, 'health-action');

    await writer.writes(20);
    await writer.stop();
    for (const each of machines) {
      const keys = await keysOn(bed, each, 'w/');
      assert.equal(
        writer.acknowledged.filter((key) => !keys.has(key)),
        [],
        `every acknowledged write is on ${each.name}`,
      );
    }

    // Without its disk nothing is done; with it, it is as before.
    const ids = await idsOf(stage);
    await quiet.powerOff();
    rmSync(quiet.onRootDisk(SETTINGS)); // HEAL_AT_BOOT is on again
    await quiet.powerOn(true, false);
    const { verdict, reason } = await quiet.cliJson('diagnose');
    assert.is(`${verdict} ${reason}`, 'local-fault local-fault/disk-not-mounted');
    assert.match(await quiet.sh('cat /var/log/heal-node/heal-node.log'), /gate-refused.*is not mounted/);
    for (const hook of ['health-action', 'start'] as const) {
      const { code, stdout } = await quiet.hook(hook);
      assert.is(code, 3, stdout);
      assert.match(stdout, /mount the data disk/);
    }
    await until('its service has ended', async () =>
      /inactive|failed/.test(await unitState(quiet, 'heal-node')),
    );
    assert.is(
      (await quiet.sh('find /var/lib/etcd -mindepth 1')).trim(),
      '',
      'nothing was written in its place',
    );
    assert.is(statSync(join(quiet.dataDisk, 'default.etcd')).isDirectory(), true);
    await quiet.powerOff();
    await quiet.powerOn();
    await until('it is healthy', async () => (await quiet.hook('health-check')).code === 0);
    assert.equal(await idsOf(stage), ids);
  },
);
