import { setImmediate } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { deepCheck } from '../../src/act/deep-check.ts';
import { healRecordFile, newRecord } from '../../src/state/heal-record.ts';
import { OWN, PLACES, settings } from '../fake/observation.ts';
import { FakeWorld } from '../fake/world.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

const LIMIT_MS = 777;

/** A check of a member that serves on its originals, while the journal of its heal is not closed. */
async function unfinished(late: boolean) {
  const fake = new FakeWorld();
  fake.setWal(OWN);
  fake.reboot(false);
  const { machine } = fake.world;
  await healRecordFile.write(machine, PLACES.journal, newRecord(0, 'operator', 'stale/removed'));
  // Nothing but the limit of the check runs out.
  const sleep = (ms: number) =>
    late && ms === LIMIT_MS ? Promise.resolve() : new Promise<void>(() => undefined);
  const world = { ...fake.world, machine: { ...machine, sleep } };
  const found = await deepCheck(world, settings, silent, LIMIT_MS);
  for (let turn = 0; turn < 100; turn++) await setImmediate();
  return { found, asked: fake.disk.has(PLACES.request) };
}

test('an unfinished heal of a member that serves is taken up', async () => {
  const { found, asked } = await unfinished(false);
  assert.match(found.message, /It is taken up again/);
  assert.ok(asked);
});

test('a check that is late asks for nothing any more: its process may end before the service is started', async () => {
  const { found, asked } = await unfinished(true);
  assert.match(found.message, /not done within 777 ms/);
  assert.not(asked);
});

test.run();
