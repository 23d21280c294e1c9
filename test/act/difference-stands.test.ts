import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { deepCheck } from '../../src/act/deep-check.ts';
import type { World } from '../../src/observe/world.ts';
import { type DeepCheckResult, deepCheckFile } from '../../src/state/deep-check-file.ts';
import { PLACES } from '../fake/observation.ts';
import { ThreeMembers } from '../fake/three-members.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A deep check of member 2 that finds nothing out; `last` is what the one before has written. */
function checkedAfter(last: DeepCheckResult, spoil: (world: World) => World): DeepCheckResult | undefined {
  const fake = new ThreeMembers('none');
  return fake.run(async (world) => {
    await deepCheckFile.write(world.machine, PLACES.deepCheck, last);
    await deepCheck(spoil(world), fake.settings, silent, 2500);
    return deepCheckFile.read(world.machine, PLACES.deepCheck);
  });
}

const late = (world: World): World => ({
  ...world,
  cluster: (tls) => ({ ...world.cluster(tls), ask: () => new Promise(() => undefined) }),
  machine: { ...world.machine, sleep: async (ms) => (ms === 2500 ? undefined : world.machine.sleep(ms)) },
});
const failing = (world: World): World => ({
  ...world,
  machine: { ...world.machine, list: () => Promise.reject(new Error('EIO')) },
});

const found = { atMs: 1, memberId: 'ab', confirmed: true, text: 'they differ' };
const comparison = { atMs: 1, longestMs: 2, sumMs: 3 };

for (const [how, spoil] of [
  ['is late', late],
  ['fails', failing],
] as const)
  test(`a check that ${how} leaves a difference that was found, and else says that it knows nothing`, () => {
    const differs = { ...found, state: 'differs', comparison } as const;
    assert.equal(checkedAfter(differs, spoil), differs);
    const after = checkedAfter({ ...differs, state: 'equal', confirmed: false }, spoil);
    assert.is(after?.state, 'unknown');
    assert.equal(after?.comparison, comparison, 'what it cost to ask is not forgotten');
  });

test.run();
