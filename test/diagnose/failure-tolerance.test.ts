import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { failureTolerance } from '../../src/diagnose/failure-tolerance.ts';
import { situationOf } from '../../src/diagnose/situation.ts';
import { observe } from '../../src/observe/observe.ts';
import { PLACES } from '../fake/observation.ts';
import { ThreeMembers } from '../fake/three-members.ts';

const toleranceOf = (fake: ThreeMembers) =>
  fake.run(async (world) => failureTolerance(situationOf(await observe(world), PLACES)));

test('how many more members may fail, as this node sees it', () => {
  for (const [size, all] of [
    [3, 1],
    [5, 2],
    [7, 3],
  ] as const) {
    assert.is(toleranceOf(new ThreeMembers('none', {}, size)), all, `${size} well`);
    assert.is(toleranceOf(new ThreeMembers('WAL gone', {}, size)), all - 1, `one of ${size} stale`);
  }
});

test('without a quorum that is below 0 where somebody answers, and nothing where nobody says whom the cluster lists', () => {
  const fake = new ThreeMembers('none', {}, 5);
  for (const node of fake.others.slice(0, 3)) node.powerOff();
  fake.pass(30_000);
  const left = toleranceOf(fake);
  assert.ok(left === undefined || left < 0, `${left}`);
  fake.othersOff();
  fake.node.powerOff();
  fake.node.powerOn(false);
  fake.pass(30_000);
  assert.is(toleranceOf(fake), undefined);
});

test.run();
