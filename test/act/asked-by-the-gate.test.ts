import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { healThrough, requestHeal } from '../../src/act/ask-for-heal.ts';
import { gate } from '../../src/act/gate.ts';
import { runHealService } from '../../src/act/heal-service.ts';
import { stop } from '../../src/act/start-stop.ts';
import type { World } from '../../src/observe/world.ts';
import { requestFile } from '../../src/state/heal-request.ts';
import { markMember } from '../../src/state/member-mark.ts';
import { PLACES } from '../fake/observation.ts';
import { ThreeMembers } from '../fake/three-members.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const MINUTE_MS = 60_000;
const asks = (world: World): Promise<void> =>
  requestFile.write(world.machine, PLACES.request, { by: 'gate', atMs: world.machine.now() });

/** The gate has asked, and its service waits for the others. */
function waitsForOthers(fake: ThreeMembers): void {
  fake.outcome = undefined;
  fake.putFile(PLACES.request, JSON.stringify({ by: 'gate', atMs: fake.clock.nowMs }));
  fake.node.systemctl(['start', 'heal-node.service']);
}

test('the gate asks while the service of the boot looks whether there is anything to do: it heals', () => {
  const fake = new ThreeMembers('WAL gone');
  const outcome = fake.run(async (world) => {
    let looked = false;
    const machine: World['machine'] = {
      ...world.machine,
      kindOf: async (path) => {
        if (!looked && path === PLACES.originals) {
          looked = true;
          await asks(world);
        }
        return world.machine.kindOf(path);
      },
    };
    return runHealService({ ...world, machine }, fake.settings, silent);
  });
  assert.is(outcome.outcome, 'healed', outcome.message);
  assert.is(fake.node.disk.kindOf(PLACES.request), 'none');
});

test('who asks while a run of the service is ending, which has read all requests, is heard all the same', () => {
  const fake = new ThreeMembers('WAL gone');
  const outcome = fake.run(({ machine }) => {
    let starts = 0;
    // The first start is none: the unit still runs.
    const systemctl: typeof machine.systemctl = async (words, limitMs) =>
      words[0] === 'start' && ++starts === 1 ? undefined : machine.systemctl(words, limitMs);
    return healThrough({ machine: { ...machine, systemctl }, places: PLACES }, 'start', () => 10 * MINUTE_MS);
  });
  assert.is(outcome?.outcome, 'healed', outcome?.message);
  assert.is(fake.node.disk.kindOf(PLACES.request), 'none');
});

test('the others come back after hours: AppCenter has never called, and it is healed', () => {
  const fake = new ThreeMembers('WAL gone');
  fake.othersOff();
  waitsForOthers(fake);
  fake.pass(180 * MINUTE_MS);
  assert.is(fake.outcome, undefined, 'it waits');
  fake.othersOn();
  assert.is(fake.settled()?.outcome, 'healed');
});

test('whoever stops the app, or asks for a heal, does not wait for the others too', () => {
  for (const interrupts of ['stop', 'operator'] as const) {
    const fake = new ThreeMembers('WAL gone');
    fake.othersOff();
    waitsForOthers(fake);
    fake.pass(20 * MINUTE_MS);
    assert.is(fake.outcome, undefined);
    if (interrupts === 'stop') fake.run((world) => stop(world, fake.settings, silent as never));
    else {
      fake.putFile(PLACES.request, JSON.stringify({ by: interrupts, atMs: fake.clock.nowMs }));
      fake.pass(MINUTE_MS / 4);
    }
    assert.match((fake.outcome as { message: string } | undefined)?.message ?? '', /amnesia/, interrupts);
  }
});

test('the gate does not take the place of somebody who waits for an answer', () => {
  const fake = new ThreeMembers('WAL gone');
  fake.othersOff();
  for (const by of ['gate', 'operator', 'gate'] as const) fake.run((world) => requestHeal(world, by));
  fake.pass(MINUTE_MS / 4);
  assert.match(fake.outcome?.message ?? '', /amnesia/);
});

test("where the app's view cannot be read, what this node remembers keeps it from founding", () => {
  const fake = new ThreeMembers('WAL gone');
  fake.run(({ machine }) => markMember(machine, PLACES, { birthmark: '', dataDiskId: '' }));
  fake.node.disk.delete(PLACES.appEnv);
  assert.match(fake.run(gate) ?? '', /has been a member/);
});

test('data that are gone because their disk is not mounted are no data lost', () => {
  const fake = new ThreeMembers('WAL gone');
  fake.run(({ machine }) => markMember(machine, PLACES, { birthmark: '', dataDiskId: 'aaaa' }));
  const refused = fake.run((world) =>
    gate({ ...world, machine: { ...world.machine, isOnRoot: async () => true } }),
  );
  assert.match(refused ?? '', /^The data disk is not mounted: .*mount the data disk/);
});

test('what was asked for while a run looked is looked at again: the operator is not told what held before', () => {
  const fake = new ThreeMembers('none');
  const looks: (string | undefined)[] = [];
  const said = fake.run(async (world) => {
    await requestFile.write(world.machine, PLACES.request, { by: 'health-action', atMs: 1 });
    const machine: World['machine'] = {
      ...world.machine,
      network: async (ports) => {
        looks.push((await requestFile.read(world.machine, PLACES.request))?.by);
        if (looks.length === 1)
          await requestFile.write(world.machine, PLACES.request, { by: 'operator', atMs: 2 });
        return world.machine.network(ports);
      },
    };
    return runHealService({ ...world, machine }, fake.settings, silent);
  });
  assert.is(said.outcome, 'nothing');
  assert.equal(looks, ['health-action', 'operator']);
  assert.not(fake.node.disk.entries.has(PLACES.request), 'both are answered');
});

test('nor where the root disk remembers nothing, and the disk that it is told to mount is not there', () => {
  const fake = new ThreeMembers('WAL gone');
  fake.othersOff();
  const refused = fake.run((world) =>
    gate({ ...world, machine: { ...world.machine, isOnRoot: async () => true } }),
  );
  assert.match(refused ?? '', /^The data disk is not mounted: .*\/etc\/fstab names \/dev\/vdc/);
});

test.run();
