import * as assert from 'uvu/assert';
import { tailOf } from '../../../src/report/read-log.ts';
import { breakDisk } from '../bed/breakage.ts';
import type { TestMachine } from '../bed/machine.ts';
import { healed, scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { hashes, keysOn, memberList, originals, traces } from '../bed/world.ts';
import { idsOf } from './stories.ts';

/**
 * Several members lose their data at the same time, fewer than a quorum, and all come back: none can be healed to the
 * end before the others are removed.
 * @param killed the healer of the last of them is killed right after `add`, before its member has started
 */
export function severalStale(title: string, members: 5 | 7, sids: readonly number[], killed = false): void {
  scenario(title, { members }, async (stage) => {
    const { bed, machine, machines, appCenter, client } = stage;
    const bad = sids.map(machine);
    const writer = client();
    await writer.writes(50);
    const ids = await idsOf(stage);
    const before = await Promise.all(bad.map(originals));
    for (const each of bad) {
      await each.powerOff();
      await breakDisk(each, 'data-gone');
    }
    const victim = bad.at(-1) as TestMachine;
    const tail = tailOf(victim.onRootDisk('/var/log/heal-node/heal-node.log'));
    const booted = Promise.all(bad.map((each) => each.powerOn()));
    const platform = appCenter();
    if (killed) {
      await until(
        'its new member is added',
        async () => tail().some((line) => /"event":"step-done".*"step":"add"/.test(line)),
        180_000,
        2,
      );
      await victim.run('systemctl', 'kill', '--signal=SIGKILL', 'heal-node.service');
    }
    await booted;
    await Promise.all(bad.map(healed));
    await writer.writes(50);
    await platform.stop();
    await writer.stop();

    const list = await memberList(bed, machine(1));
    assert.is(list.length, members);
    assert.ok(list.every(({ started }) => started));
    for (const { name, id } of list) {
      if (bad.some((each) => each.name === name)) assert.is.not(id, ids.get(name), `${name} has a new ID`);
      else assert.is(id, ids.get(name), `${name} keeps its ID`);
    }
    assert.equal(await Promise.all(bad.map(originals)), before);
    for (const each of bad) assert.is(await traces(each), '');
    assert.is(new Set(await hashes(bed, machines)).size, 1);
    for (const each of machines) {
      const keys = await keysOn(bed, each, 'w/');
      assert.equal(
        writer.acknowledged.filter((key) => !keys.has(key)),
        [],
      );
    }
  });
}
