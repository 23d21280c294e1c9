import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { awaitOutcome, requestHeal } from '../../src/act/ask-for-heal.ts';
import { runHealService } from '../../src/act/heal-service.ts';
import { outcomeFile } from '../../src/state/outcome.ts';
import { isParked, park } from '../../src/state/parked.ts';
import { PLACES, settings } from '../fake/observation.ts';
import { FakeWorld } from '../fake/world.ts';

const DAY_MS = 86_400_000;
const { info, warn, error } = { info: () => undefined, warn: () => undefined, error: () => undefined };

test('an outcome from before the clock was set back is not taken for the one asked for', async () => {
  const fake = new FakeWorld();
  const machine = { ...fake.world.machine, systemctl: async () => undefined };
  fake.clockOffMs = 2 * DAY_MS;
  await outcomeFile.write(machine, PLACES.outcome, {
    outcome: 'parked',
    message: 'of yesterday',
    atMs: machine.now(),
  });
  fake.clockOffMs = 0;
  const before = await requestHeal(machine, PLACES, 'health-action');
  const early = await awaitOutcome(machine, PLACES, before, 100);
  assert.is(early, undefined);
  await outcomeFile.write(machine, PLACES.outcome, {
    outcome: 'healed',
    message: 'of now',
    atMs: machine.now(),
  });
  const ended = await awaitOutcome(machine, PLACES, before, 100);
  assert.is(ended?.message, 'of now');
});

test('a moment of being parked stays a moment when the clock is set, either way', async () => {
  for (const jumpMs of [-DAY_MS, DAY_MS]) {
    const fake = new FakeWorld();
    const { machine } = fake.world;
    await park(machine, PLACES, 60_000);
    assert.ok(await isParked(machine, PLACES));
    fake.clockOffMs = jumpMs;
    assert.not(await isParked(machine, PLACES));
  }
  const fake = new FakeWorld();
  await park(fake.world.machine, PLACES);
  fake.clockOffMs = -DAY_MS;
  assert.ok(await isParked(fake.world.machine, PLACES), 'stopped by the app, until the next start');
});

test('a new member that never comes up ends the wait for it, though the clock is set back meanwhile', async () => {
  const fake = new FakeWorld();
  await requestHeal(fake.world.machine, PLACES, 'health-action').catch(() => undefined);
  const world = { ...fake.world };
  let asked = 0;
  world.health = async () => {
    // The first look of verify: from here on the wall clock is a day behind.
    if (++asked === 3) fake.clockOffMs = -DAY_MS;
    if (asked > 100_000) throw new Error('it waits for ever');
    return { state: 'none', why: 'no answer' };
  };
  const ended = await runHealService(world, settings, { info, warn, error });
  assert.is(ended.outcome, 'failed');
  assert.match(ended.message, /not healthy|does not stay up/);
});

test.run();
