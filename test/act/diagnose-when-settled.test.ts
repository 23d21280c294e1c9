import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { diagnoseWhenSettled } from '../../src/act/diagnose-when-settled.ts';
import type { World } from '../../src/observe/world.ts';
import { ThreeMembers } from '../fake/three-members.ts';

test('data that were read while etcd was started once more are read again, before anything is said of them', () => {
  const fake = new ThreeMembers('WAL damaged');
  const { asked, reason } = fake.run(async (world) => {
    let asked = 0;
    const units: World['machine']['units'] = async (names) => {
      asked++;
      const facts = await world.machine.units(names);
      return facts.map((each) => ({ ...each, restarts: each.restarts + (asked < 2 ? 0 : 1) }));
    };
    const machine = { ...world.machine, units };
    const { diagnosis } = await diagnoseWhenSettled({ ...world, machine }, 10_000);
    return { asked, reason: diagnosis.reason };
  });
  assert.is(reason, 'stale/wal-damaged');
  assert.is(asked, 4, 'twice in each of two looks');
});

test.run();
