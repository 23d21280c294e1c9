import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isParked, isStoppedByApp, park } from '../../src/state/parked.ts';
import { PLACES } from '../fake/observation.ts';
import { ThreeMembers } from '../fake/three-members.ts';

test('stopped by the app it stays parked, until somebody starts etcd, also another way than by the start hook', () => {
  const fake = new ThreeMembers('none');
  const parked = (): boolean => fake.run(({ machine }) => isParked(machine, PLACES));
  fake.node.systemctl(['stop', PLACES.unit]);
  fake.pass(2000);
  fake.run(({ machine }) => park(machine, PLACES));
  fake.pass(2000);
  assert.ok(parked());
  fake.node.systemctl(['start', PLACES.unit]);
  fake.pass(2000);
  assert.not(parked());
  fake.run(({ machine }) => park(machine, PLACES));
  assert.ok(parked(), 'the next stop parks it anew');
  fake.node.systemctl(['stop', PLACES.unit]);
  fake.pass(2000 - (fake.clock.nowMs % 1000));
  fake.run(({ machine }) => park(machine, PLACES));
  assert.ok(parked());
  fake.node.systemctl(['start', PLACES.unit]);
  fake.pass(100);
  assert.not(parked(), 'in the very second of the stop, as systemd tells it');
});

test('what is parked for a time is not stopped by the app, until the app stops it', () => {
  const fake = new ThreeMembers('none');
  const byApp = (): boolean => fake.run(({ machine }) => isStoppedByApp(machine, PLACES));
  fake.run(({ machine }) => park(machine, PLACES, 60_000));
  assert.not(byApp());
  fake.run(({ machine }) => park(machine, PLACES));
  assert.ok(byApp());
  fake.run(({ machine }) => park(machine, PLACES, 60_000));
  assert.ok(byApp(), 'nor does it become one for a time');
});

test('nor is a stop over where etcd began at a later time than it, as the clock was set back in between', () => {
  const fake = new ThreeMembers('none');
  fake.node.clockOffMs = -3_600_000;
  fake.node.systemctl(['stop', PLACES.unit]);
  fake.pass(2000);
  const parked = (): boolean => fake.run(({ machine }) => isParked(machine, PLACES));
  fake.run(({ machine }) => park(machine, PLACES));
  assert.ok(parked());
  fake.node.systemctl(['start', PLACES.unit]);
  fake.pass(2000);
  assert.not(parked());
});

test.run();
