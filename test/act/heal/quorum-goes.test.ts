import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HEAL_UNIT } from '../../../src/state/places.ts';
import { PLACES } from '../../fake/observation.ts';
import { ThreeMembers } from '../../fake/three-members.ts';

/** A member that has crashed on such data; the machines of the others go off once everything is staged. */
function abandoned(broken: 'WAL damaged' | 'log short') {
  const fake = new ThreeMembers(broken);
  fake.once(
    () => fake.node.disk.entries.has(PLACES.copyEnv),
    () => fake.othersOff(),
  );
  return { fake, ended: fake.heal('health-action') };
}

test('the others go before remove: everything is taken back, and the data tried again do no harm', () => {
  const { fake, ended } = abandoned('WAL damaged');
  assert.is(ended?.outcome, 'refused');
  assert.match(ended?.message ?? '', /quorum: .*All steps were taken back/);
  assert.ok(fake.node.disk.entries.has(PLACES.unitFile));
  assert.is(fake.node.data?.memberId, fake.oldId);
});

test('not so a log that is too short: its vote could make them forget, so it stays fenced until they are back', () => {
  const { fake, ended } = abandoned('log short');
  assert.is(ended?.outcome, 'refused');
  assert.match(ended?.message ?? '', /quorum: .*What was done stays/);
  const staysFenced = () => {
    assert.not(fake.node.disk.entries.has(PLACES.unitFile));
    assert.is(fake.node.data, undefined);
    assert.is(fake.running, undefined);
    assert.equal(fake.removed, []);
  };
  staysFenced();
  // A second run does not know any more what was wrong with the data.
  assert.is(fake.resume()?.outcome, 'refused');
  staysFenced();
  fake.othersOn();
  assert.is(fake.resume()?.outcome, 'healed');
  assert.equal(fake.removed, [fake.oldId]);
});

test('on its copy, this node and another lose power: back alone it starts on what its heal has added, and there is a quorum', () => {
  const fake = new ThreeMembers('WAL damaged');
  const [, other] = fake.others;
  fake.once(
    () => fake.running === PLACES.copyUnit && fake.healthy(fake.node),
    () => {
      fake.node.powerOff();
      other?.powerOff();
    },
  );
  fake.putFile(PLACES.request, JSON.stringify({ by: 'health-action', atMs: fake.clock.nowMs }));
  fake.node.systemctl(['start', HEAL_UNIT]);
  fake.pass(60_000);
  fake.node.powerOn(false);
  fake.pass(100_000);
  fake.resume();
  assert.is(fake.running, PLACES.unit);
  assert.ok(fake.healthy(fake.node));
});

test.run();
