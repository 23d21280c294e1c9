import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { healthAction } from '../../src/act/health-action.ts';
import { asWord, fromWord, PAUSE_KEY } from '../../src/cluster/pause-key.ts';
import { nodePause, pauseNode } from '../../src/state/pause.ts';
import { HEAL_UNIT } from '../../src/state/places.ts';
import { PLACES } from '../fake/observation.ts';
import { ThreeMembers } from '../fake/three-members.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const text = (where: string) => `heals are paused ${where} until T by ann@etcd2: the disk's cable`;

const pause = (fake: ThreeMembers, forMs = 2 * HOUR_MS) =>
  fake.run(({ machine }) => pauseNode(machine, PLACES, text('on this node'), forMs));
const isPaused = (fake: ThreeMembers) => fake.run(({ machine }) => nodePause(machine, PLACES)) !== undefined;
const action = (fake: ThreeMembers) => fake.run((world) => healthAction(world, fake.settings, silent));

test('a pause lasts as long as it says, whatever is made of the clock meanwhile', () => {
  for (const jumpMs of [0, -DAY_MS, DAY_MS]) {
    const fake = new ThreeMembers('none');
    pause(fake);
    fake.node.clockOffMs = jumpMs;
    assert.ok(isPaused(fake), `${jumpMs}`);
    fake.pass(2 * HOUR_MS);
    assert.not(isPaused(fake), `${jumpMs}`);
  }
});

test('it outlasts a boot; a clock that was set back over it makes it no longer than that boot lasts', () => {
  const fake = new ThreeMembers('none');
  pause(fake);
  fake.node.powerOff();
  fake.pass(HOUR_MS);
  fake.node.powerOn(false);
  assert.ok(isPaused(fake));
  fake.node.clockOffMs = -DAY_MS;
  fake.pass(HOUR_MS);
  assert.ok(isPaused(fake));
  fake.pass(HOUR_MS);
  assert.not(isPaused(fake));
});

test('a root disk that is put back to the image takes it along', () => {
  const fake = new ThreeMembers('none');
  pause(fake);
  fake.node.powerOff();
  fake.node.powerOn(true);
  assert.not(isPaused(fake));
});

const ways: readonly (readonly [
  where: string,
  on: (fake: ThreeMembers) => void,
  off: (fake: ThreeMembers) => void,
])[] = [
  ['on this node', pause, (fake) => fake.node.disk.delete(PLACES.paused)],
  [
    'in the whole cluster',
    (fake) => fake.putKey(PAUSE_KEY, asWord(text('in the whole cluster'))),
    (fake) => fake.dropKey(PAUSE_KEY),
  ],
];
for (const [where, on, off] of ways) {
  test(`paused ${where}, no heal is begun, whoever asks, and the action says who, until when and why`, () => {
    const fake = new ThreeMembers('WAL gone');
    on(fake);
    const { code, message } = action(fake);
    assert.is(code, 3);
    assert.match(
      message,
      new RegExp(`stale/.*heals are paused ${where} until T by ann@etcd2: the disk's cable`),
    );
    for (const by of ['operator', 'start', 'health-check']) assert.is(fake.heal(by)?.outcome, 'parked', by);
    assert.equal(fake.removed, []);
    off(fake);
    assert.is(fake.heal('health-action')?.outcome, 'healed');
  });
}

test('what the gate has asked for begins when the pause is over', () => {
  const fake = new ThreeMembers('WAL gone');
  pause(fake, HOUR_MS / 2);
  assert.is(fake.heal('gate')?.outcome, 'healed');
  assert.ok(fake.removed.length === 1);
});

for (const by of ['health-action', 'gate'])
  test(`a heal that was cut off while the cluster is short of a member goes on all the same, asked for by ${by}`, () => {
    const fake = new ThreeMembers('WAL gone');
    fake.once(
      () => fake.removed.length > 0 && fake.listed.length === 2,
      () => {
        pausedInTheMidst(fake);
        fake.node.systemctl(['kill', HEAL_UNIT]);
      },
    );
    assert.is(fake.heal(by)?.outcome, 'healed');
    assert.ok(isPaused(fake));
  });

test('and after a migration, whose root disk has the originals again', () => {
  const fake = new ThreeMembers('WAL gone');
  fake.once(
    () => fake.removed.length > 0 && fake.listed.length === 2,
    () => {
      fake.putKey(PAUSE_KEY, asWord(text('in the whole cluster')));
      fake.node.powerOff();
      fake.node.powerOn(true);
    },
  );
  const ended = fake.heal('health-action');
  assert.is(ended?.outcome, 'healed', ended?.message);
  assert.ok(fake.key(PAUSE_KEY));
});

const pausedInTheMidst = (fake: ThreeMembers): void =>
  fake.putFile(
    PLACES.paused,
    JSON.stringify({
      text: text('on this node'),
      sinceMs: fake.clock.nowMs,
      forMs: DAY_MS,
      bootId: '0',
      upMs: 0,
    }),
  );

test('the sentence comes back from etcd as it was, and what somebody else has put there counts', () => {
  assert.is(fromWord(asWord(text('é %27'))), text('é %27'));
  assert.match(asWord(text('x')), /^[\w%.~!*()-]+$/);
  assert.is(fromWord('for\nmaintenance %'), 'for maintenance %');
});

test.run();
