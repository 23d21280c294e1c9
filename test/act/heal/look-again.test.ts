import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HealContext } from '../../../src/act/heal/heal-context.ts';
import { observe } from '../../../src/observe/observe.ts';
import { noLog } from '../../../src/report/log.ts';
import { newRecord } from '../../../src/state/heal-record.ts';
import { ThreeMembers } from '../../fake/three-members.ts';

/** When systemd was asked, in milliseconds since the look began, and how long that took. */
const looks = (silent: boolean) => {
  const fake = new ThreeMembers('WAL gone');
  if (silent) fake.others[0]?.powerOff();
  fake.pass(5000);
  return fake.run(async (world) => {
    const record = newRecord(0, 'operator', 'stale/removed');
    const asked: number[] = [];
    const units: typeof world.machine.units = (names) => {
      asked.push(world.machine.monotonicMs());
      return world.machine.units(names);
    };
    const watched = { ...world, machine: { ...world.machine, units } };
    const heal = new HealContext(watched, fake.settings, noLog, record, await observe(world));
    const beganMs = world.machine.monotonicMs();
    await heal.look('files', 'units', 'self', 'cluster');
    const tookMs = world.machine.monotonicMs() - beganMs;
    return { asked: asked.map((ms) => ms - beganMs), tookMs };
  });
};

test('what is near is looked at once more where a silent host has made the look long', () => {
  assert.is(looks(false).asked.length, 1);
  const { asked, tookMs } = looks(true);
  assert.is(asked.length, 2);
  assert.ok(tookMs > 2000 && tookMs - (asked[1] ?? 0) < 100, `${asked} of ${tookMs}`);
});

test.run();
