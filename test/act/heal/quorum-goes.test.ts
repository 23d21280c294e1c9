import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { requestHeal } from '../../../src/act/ask-for-heal.ts';
import { runHealService } from '../../../src/act/heal-service.ts';
import { OWN, PLACES, settings } from '../../fake/observation.ts';
import { FakeWorld } from '../../fake/world.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const LOG_SHORT =
  'tocommit(192) is out of range [lastIndex(14)]. Was the raft log corrupted, truncated, or lost?';

/** A member that has crashed with that line; the others go silent once everything is staged. */
async function abandoned(crashLine: string) {
  const fake = new FakeWorld();
  fake.walDamaged = true;
  fake.crashLine = crashLine;
  fake.setWal(OWN);
  fake.reboot(false);
  fake.othersServe = () => !fake.disk.has(PLACES.copyEnv);
  fake.runs.set('heal-node.service', { pid: 0, active: 'inactive', log: [] });
  await requestHeal(fake.world.machine, PLACES, 'health-action').catch(() => undefined);
  fake.runs.delete('heal-node.service');
  return { fake, ended: await runHealService(fake.world, settings, silent) };
}

test('the others go before remove: everything is taken back, and the data tried again do no harm', async () => {
  const { fake, ended } = await abandoned('walpb: crc mismatch');
  assert.is(ended.outcome, 'refused');
  assert.match(ended.message, /quorum: .*All steps were taken back/);
  assert.ok(fake.disk.has(PLACES.unitFile));
  assert.is(fake.walOwner, OWN);
});

test('not so a log that is too short: its vote could make them forget, so it stays fenced until they are back', async () => {
  const { fake, ended } = await abandoned(LOG_SHORT);
  assert.is(ended.outcome, 'refused');
  assert.match(ended.message, /quorum: .*What was done stays/);
  const staysFenced = () => {
    assert.not(fake.disk.has(PLACES.unitFile));
    assert.is(fake.walOwner, undefined);
    assert.is(fake.running, undefined);
    assert.equal(fake.removed, []);
  };
  staysFenced();
  // A second run does not know any more what was wrong with the data.
  assert.is((await runHealService(fake.world, settings, silent)).outcome, 'refused');
  staysFenced();
  fake.othersServe = () => true;
  fake.walDamaged = false;
  assert.is((await runHealService(fake.world, settings, silent)).outcome, 'healed');
  assert.equal(fake.removed, [OWN]);
});

test.run();
