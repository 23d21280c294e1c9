import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { World } from '../../../src/observe/world.ts';
import { ahead } from '../../fake/log.ts';
import { PLACES } from '../../fake/observation.ts';
import type { Proc } from '../../fake/process.ts';
import { ThreeMembers } from '../../fake/three-members.ts';

/** On a slow machine etcd crashes and is started again whenever its data are read. */
class NeverRead extends ThreeMembers {
  private runs = 0;

  override world(node: ThreeMembers['node'], proc: Proc): World {
    const world = super.world(node, proc);
    const { machine } = world;
    const units: typeof machine.units = async (names) =>
      (await machine.units(names)).map((facts, at) =>
        names[at] === PLACES.unit && node.disk.kindOf(PLACES.unitFile) === 'file'
          ? { ...facts, invocationId: (++this.runs).toString(16).padStart(32, '0') }
          : facts,
      );
    return node === this.node ? { ...world, machine: { ...machine, units } } : world;
  }
}

test('what could not be read while etcd was started again and again is read before it is set aside', () => {
  const fake = new NeverRead('none');
  const { data } = fake.node;
  fake.node.systemctl(['stop', PLACES.unit]);
  fake.pass(2000);
  // The cluster was restored without this member, and without what it has.
  if (data) fake.node.putData(ahead(data, 1000));
  fake.lists((all) => all.filter(({ name }) => name !== 'etcd2'));
  const ended = fake.heal('operator');
  assert.match(ended?.message ?? '', /refused before set-aside: not-ahead: .*All steps were taken back/);
  assert.is(fake.node.disk.kindOf(PLACES.unitFile), 'file');
});

test.run();
