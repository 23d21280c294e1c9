import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { awaitOutcome, requestHeal } from '../../src/act/ask-for-heal.ts';
import { runHealService } from '../../src/act/heal-service.ts';
import { outcomeFile } from '../../src/state/outcome.ts';
import { isParked, park } from '../../src/state/parked.ts';
import { nodeUrl } from '../fake/network.ts';
import { PLACES } from '../fake/observation.ts';
import { ThreeMembers } from '../fake/three-members.ts';

const DAY_MS = 86_400_000;
const { info, warn, error } = { info: () => undefined, warn: () => undefined, error: () => undefined };

test('an outcome from before the clock was set back is not taken for the one asked for', () => {
  const fake = new ThreeMembers('none');
  fake.run(async (world) => {
    const machine = { ...world.machine, systemctl: async () => undefined };
    const ends = (outcome: 'parked' | 'healed', message: string) =>
      outcomeFile.write(machine, PLACES.outcome, { outcome, message, atMs: machine.now() });
    fake.node.clockOffMs = 2 * DAY_MS;
    await ends('parked', 'of yesterday');
    fake.node.clockOffMs = 0;
    const before = await requestHeal({ machine, places: PLACES }, 'health-action');
    assert.is(await awaitOutcome({ machine, places: PLACES }, before, 100), undefined);
    await ends('healed', 'of now');
    const ended = await awaitOutcome({ machine, places: PLACES }, before, 100);
    assert.is(ended?.message, 'of now');
  });
});

test('a moment of being parked stays a moment when the clock is set, either way', () => {
  for (const jumpMs of [-DAY_MS, DAY_MS]) {
    const fake = new ThreeMembers('none');
    fake.run(({ machine }) => park(machine, PLACES, 60_000));
    assert.ok(fake.run(({ machine }) => isParked(machine, PLACES)));
    fake.node.clockOffMs = jumpMs;
    assert.not(fake.run(({ machine }) => isParked(machine, PLACES)));
  }
  const fake = new ThreeMembers('none');
  fake.run(({ machine }) => park(machine, PLACES));
  fake.node.clockOffMs = -DAY_MS;
  assert.ok(
    fake.run(({ machine }) => isParked(machine, PLACES)),
    'stopped by the app, until the next start',
  );
});

test('a new member that never comes up ends the wait for it, though the clock is set back meanwhile', () => {
  const fake = new ThreeMembers('WAL gone');
  let asked = 0;
  const ended = fake.run(async (world) => {
    const machine = { ...world.machine, systemctl: async () => undefined };
    await requestHeal({ machine, places: PLACES }, 'health-action');
    const whyNotServing = async (endpoint: string) => {
      const others = fake.others.some(({ sid }) => endpoint === nodeUrl(sid, 2379));
      if (others) return undefined;
      // The first look of verify: from here on the wall clock is a day behind.
      if (++asked === 3) fake.node.clockOffMs = -DAY_MS;
      if (asked > 100_000) throw new Error('it waits for ever');
      return 'no answer';
    };
    const cluster: typeof world.cluster = (tls) => ({ ...world.cluster(tls), whyNotServing });
    return runHealService({ ...world, cluster }, fake.settings, { info, warn, error });
  });
  assert.ok(asked > 3, 'it waited for the new member');
  assert.is(ended.outcome, 'failed');
  assert.match(ended.message, /does not serve|does not stay up/);
});

test.run();
