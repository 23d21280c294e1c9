import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runHealService } from '../../src/act/heal-service.ts';
import { start } from '../../src/act/start-stop.ts';
import type { World } from '../../src/observe/world.ts';
import { requestFile } from '../../src/state/heal-request.ts';
import { PLACES } from '../fake/observation.ts';
import { ThreeMembers } from '../fake/three-members.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The start of member 2, which finds it stale; before it asks for a heal `first` is done. */
const startAfter = (fake: ThreeMembers, first: (world: World) => Promise<unknown>): number =>
  fake.run((world) => {
    let asked = false;
    const { machine } = world;
    const readFile: typeof machine.readFile = async (path) => {
      if (path === PLACES.outcome && !asked) {
        asked = true;
        await first(world);
      }
      return machine.readFile(path);
    };
    return start(
      { ...world, machine: { ...machine, readFile, runApp: async () => 1 } },
      fake.settings,
      silent,
    );
  });

test("a health action's heal ends right before the start asks for one: the member is healthy, and so the start", () => {
  const fake = new ThreeMembers('WAL damaged');
  const code = startAfter(fake, async (world) => {
    await requestFile.write(world.machine, PLACES.request, {
      by: 'health-action',
      atMs: world.machine.now(),
    });
    assert.is((await runHealService(world, fake.settings, silent)).outcome, 'healed');
  });
  assert.is(code, 0);
});

test('a start that fails while there is nothing to heal, and the member does not serve, has failed', () => {
  const fake = new ThreeMembers('WAL damaged');
  assert.is(
    startAfter(fake, async () => fake.othersOff()),
    1,
  );
});

test.run();
