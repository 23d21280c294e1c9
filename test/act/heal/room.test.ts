import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { requestHeal } from '../../../src/act/ask-for-heal.ts';
import { runHealService } from '../../../src/act/heal-service.ts';
import { PLACES, settings } from '../../fake/observation.ts';
import { FakeWorld } from '../../fake/world.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const RIGHTS = { mode: 0o600, uid: 0, gid: 0 };
const OLD = ['20250101T000000Z-aaaaaa', '20250102T000000Z-bbbbbb', '20250103T000000Z-cccccc'];
const MB = 1 << 20;

/** A stale node with a few megabytes free, of the 128 that are needed, and three data dirs set aside of that size. */
async function crowded(eachMb: number, keepAside = 1) {
  const fake = new FakeWorld();
  fake.freeBytes = 20 * MB;
  fake.treeBytes = eachMb * MB;
  for (const name of OLD)
    fake.disk.set(`${PLACES.aside}/${name}/default.etcd/db`, { text: 'x', rights: RIGHTS });
  fake.runs.set('heal-node.service', { pid: 0, active: 'inactive', log: [] });
  await requestHeal(fake.world.machine, PLACES, 'health-action').catch(() => undefined);
  fake.runs.delete('heal-node.service');
  const removed: string[] = [];
  fake.onRemove = (path) => {
    if (path.startsWith(`${PLACES.aside}/`)) {
      removed.push(path.slice(PLACES.aside.length + 1));
      fake.freeBytes += eachMb * MB;
    }
  };
  return { fake, removed, ended: await runHealService(fake.world, { ...settings, keepAside }, silent) };
}

test('data set aside by older heals go first, the oldest first, and no more than are needed', async () => {
  const { ended, removed, fake } = await crowded(60, 3);
  assert.is(ended.outcome, 'healed', ended.message);
  assert.equal(removed.slice(0, 2), OLD.slice(0, 2));
  assert.ok(fake.disk.has(`${PLACES.aside}/${OLD[2]}/default.etcd/db`));
});

test('then the heal is refused, and nothing is gone', async () => {
  const { ended, removed, fake } = await crowded(10);
  assert.is(ended.outcome, 'refused');
  assert.match(ended.message, /disk-room: .* bytes are free, .* are needed; HEAL_KEEP_ASIDE=0/);
  assert.equal(removed, []);
  assert.equal(fake.removed, []);
});

test('unless it is told to discard the old data, as the runbook does: right before the start, not before', async () => {
  const { ended, removed, fake } = await crowded(28, 0);
  assert.is(ended.outcome, 'healed', ended.message);
  assert.equal(removed.slice(0, 3), OLD);
  assert.is(removed.length, 4, 'its own last');
  assert.not([...fake.disk.keys()].some((path) => path.startsWith(`${PLACES.aside}/`)));
});

test('HEAL_MODE turned off in the middle parks the heal where the cluster is whole', async () => {
  const fake = new FakeWorld();
  fake.runs.set('heal-node.service', { pid: 0, active: 'inactive', log: [] });
  await requestHeal(fake.world.machine, PLACES, 'health-action').catch(() => undefined);
  const world = {
    ...fake.world,
    mode: async () => (fake.disk.has(PLACES.copyEnv) ? ('off' as const) : ('auto' as const)),
  };
  const ended = await runHealService(world, settings, silent);
  assert.is(ended.outcome, 'parked');
  assert.match(ended.message, /parked before remove: HEAL_MODE is off; `heal-node restore`/);
  assert.equal(fake.removed, []);
});

test.run();
