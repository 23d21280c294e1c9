import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { start } from '../../src/act/start-stop.ts';
import { markMember } from '../../src/state/member-mark.ts';
import { PLACES } from '../fake/observation.ts';
import { DATA_DIR } from '../fake/paths.ts';
import { ThreeMembers } from '../fake/three-members.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/**
 * A member that is marked; the root disk put back, and with it etcd.env gone; the data lost; the others silent for so long.
 */
function startsAfterMigration(silentMs: number) {
  const fake = new ThreeMembers('none');
  fake.run(({ machine }) =>
    markMember(machine, PLACES, { birthmark: '', birthmarkRevision: 0n, dataDiskId: '' }),
  );
  fake.node.powerOff();
  fake.node.disk.delete(DATA_DIR);
  fake.node.disk.flush();
  fake.node.powerOn(true);
  fake.othersOff();
  fake.pass(5000);
  let code: number | undefined;
  const beganMs = fake.clock.nowMs;
  fake.spawn(fake.node, 'start', 600_000, async (world, settings) => {
    let written = false;
    const machine: typeof world.machine = {
      ...world.machine,
      readFile: async (path) => (path === PLACES.env && !written ? undefined : world.machine.readFile(path)),
      // It writes etcd.env; etcd is not started, as the gate refuses that.
      runApp: async () => {
        written = true;
        return 1;
      },
    };
    code = await start({ ...world, machine }, settings, silent);
  });
  fake.pass(silentMs);
  fake.othersOn();
  fake.pass(300_000);
  return { fake, code, beganMs };
}

test('the app writes the settings, the others answer a moment later: the start heals', () => {
  const { fake, code } = startsAfterMigration(20_000);
  assert.is(code, 0);
  assert.is(fake.running, PLACES.unit);
  assert.is.not(fake.node.data?.memberId, fake.oldId);
});

test('they do not answer within HEAL_START_WAIT: it ends as the app does, and has founded nothing', () => {
  const { fake, code } = startsAfterMigration(200_000);
  assert.is.not(code, 0);
  assert.equal(fake.removed, []);
  assert.is.not(fake.node.data?.memberId ?? '', fake.oldId);
});

test.run();
