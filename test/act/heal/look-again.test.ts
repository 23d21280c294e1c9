import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HealContext } from '../../../src/act/heal/heal-context.ts';
import { observe } from '../../../src/observe/observe.ts';
import type { World } from '../../../src/observe/world.ts';
import { noLog } from '../../../src/report/log.ts';
import { history, newRecord } from '../../../src/state/heal-record.ts';
import { HEAL_UNIT } from '../../../src/state/places.ts';
import { PLACES } from '../../fake/observation.ts';
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

test('etcd that is on its way into its next crash as the guards look proves the same a moment later', () => {
  const fake = new ThreeMembers('WAL damaged');
  const real = fake.world.bind(fake);
  let looked = 0;
  fake.world = (node, proc): World => {
    const world = real(node, proc);
    const units: typeof world.machine.units = (names) => {
      // The last look is the one of the guards.
      if (node === fake.node && ++looked === 3) {
        node.systemctl(['reset-failed', PLACES.unit]);
        node.systemctl(['start', '--no-block', PLACES.unit]);
      }
      return world.machine.units(names);
    };
    const examine: typeof world.machine.examine = async (...words) => {
      const read = await world.machine.examine(...words);
      // With a signal, or the fake would stretch it.
      await world.machine.sleep(600, new AbortController().signal);
      return read;
    };
    return { ...world, machine: { ...world.machine, units, examine } };
  };
  const ended = fake.heal('operator');
  assert.ok(looked > 3);
  assert.is(ended?.outcome, 'healed', ended?.message);
});

for (const when of ['before', 'after'] as const)
  test(`somebody starts the copy right ${when} the data are to be moved: stopped first, they are judged anew`, () => {
    const fake = new ThreeMembers('WAL damaged');
    const { node } = fake;
    const dir = `${PLACES.aside}/`;
    let started = false;
    node.onEffect = (what, at) => {
      const moved = [...node.disk.entries.keys()].some((path) => path.startsWith(dir));
      const isNow = !node.disk.has(PLACES.unitFile) && node.disk.has(PLACES.copyUnitFile) && !moved;
      if (started || what !== HEAL_UNIT || at !== when || !isNow) return;
      started = true;
      node.systemctl(['start', '--no-block', PLACES.copyUnit]);
    };
    const ended = fake.heal('operator');
    assert.ok(started);
    assert.is(ended?.outcome, 'healed', ended?.message);
    assert.ok(fake.healthy(node));
    const steps = fake.run(({ machine }) => history(machine, PLACES)).at(-1)?.steps ?? [];
    assert.ok(steps.some(({ did }) => did?.includes('had been started meanwhile, and is stopped')));
    assert.is(fake.removed.length, 1);
  });

test.run();
