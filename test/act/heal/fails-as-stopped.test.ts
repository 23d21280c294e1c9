import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { World } from '../../../src/observe/world.ts';
import { PLACES } from '../../fake/observation.ts';
import type { Proc } from '../../fake/process.ts';
import { ThreeMembers } from '../../fake/three-members.ts';

/** etcd's unit fails in the moment in which it is stopped: systemd keeps it as it was, without its file, until it is reset. */
class FailsAsStopped extends ThreeMembers {
  private keeps = false;
  reloads = 0;

  override world(node: ThreeMembers['node'], proc: Proc): World {
    const world = super.world(node, proc);
    const { machine } = world;
    if (node !== this.node) return world;
    return {
      ...world,
      machine: {
        ...machine,
        units: async (names) =>
          (await machine.units(names)).map((facts, at) =>
            names[at] === PLACES.unit && this.keeps
              ? { ...facts, load: 'not-found', fragment: '', active: 'failed', needsReload: false }
              : facts,
          ),
        systemctl: async (words, timeoutMs) => {
          const [verb = '', ...names] = words;
          if (verb === 'daemon-reload') this.reloads++;
          const isOurs = names.includes(PLACES.unit);
          const says = await machine.systemctl(words, timeoutMs).catch((error: Error) => error);
          if (verb === 'stop' && isOurs) await machine.sleep(100);
          if (isOurs) this.keeps = verb === 'stop';
          if (verb === 'daemon-reload' && node.disk.kindOf(PLACES.unitFile) === 'file') this.keeps = false;
          if (says && verb !== 'stop') throw says;
        },
      },
    };
  }
}

test('a unit that fails as it is stopped is forgotten, and systemd need not be reloaded for it once more', () => {
  const fake = new FailsAsStopped('WAL gone');
  const ended = fake.heal('health-action');
  assert.is(ended?.outcome, 'healed', ended?.message);
  // To have the unit gone, and its copy as it is staged.
  assert.is(fake.reloads, 2);
});

test.run();
