import * as assert from 'uvu/assert';
import { breakages } from '../bed/breakage.ts';
import { healed, scenario } from '../bed/scenario.ts';
import { hashes, keysOn, memberList, originals, traces } from '../bed/world.ts';
import { idsOf } from './stories.ts';

scenario(
  'two of five lose their data at the same time, and both come back',
  { members: 5 },
  async (stage) => {
    const { bed, machine, machines, appCenter, client } = stage;
    const bad = [machine(2), machine(4)];
    const writer = client();
    await writer.writes(50);
    const ids = await idsOf(stage);
    const before = await Promise.all(bad.map(originals));
    for (const each of bad) {
      await each.powerOff();
      breakages['data-gone'](each);
    }
    await Promise.all(bad.map((each) => each.powerOn()));
    const platform = appCenter();
    await Promise.all(bad.map(healed));
    await writer.writes(50);
    await platform.stop();
    await writer.stop();

    const list = await memberList(bed, machine(1));
    assert.is(list.length, 5);
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
  },
);
