import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { start } from '../../src/act/start-stop.ts';
import { certificatePath } from '../../src/appcenter/certificates.ts';
import { markMember } from '../../src/state/member-mark.ts';
import { PLACES } from '../fake/observation.ts';
import { DATA_DIR, ROOT_FILE } from '../fake/paths.ts';
import { ThreeMembers } from '../fake/three-members.ts';
import { losesVolume } from '../fake/tls.ts';

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

/** In TLS mode, the volume of the first node lost: its app's start would make a new authority. */
function startsWithoutView(viewComesMs: number | undefined) {
  const fake = new ThreeMembers('none', {}, 3, true);
  const [first] = fake.nodes;
  if (!first) throw new Error('no first node');
  first.powerOff();
  losesVolume(first);
  first.powerOn(true);
  const view = first.disk.entries.get(PLACES.appEnv);
  first.disk.delete(PLACES.appEnv);
  fake.pass(10_000);
  let code: number | undefined;
  let ran = 0;
  fake.spawn(first, 'start', 600_000, async (world, settings) => {
    const runApp: typeof world.machine.runApp = (...words) => {
      if (!first.disk.has(certificatePath('ca'))) ran++;
      return world.machine.runApp(...words);
    };
    code = await start({ ...world, machine: { ...world.machine, runApp } }, settings, silent);
  });
  if (viewComesMs !== undefined) {
    fake.pass(viewComesMs);
    if (view) first.disk.set(PLACES.appEnv, view);
  }
  fake.pass(600_000);
  return { code, ran, unit: first.etcd?.unit };
}

test("in TLS mode, without the app's view: its start is not run where there are no certificates", () => {
  assert.equal(startsWithoutView(undefined), { code: 3, ran: 0, unit: undefined });
});

test('where confd renders it a moment later the start goes on, and heals', () => {
  assert.equal(startsWithoutView(20_000), { code: 0, ran: 0, unit: PLACES.unit });
});

test('nor where the disk keeps a heal from being begun: the start that is left could make a new authority', () => {
  const fake = new ThreeMembers('none', {}, 3, true);
  const [first] = fake.nodes;
  if (!first) throw new Error('no first node');
  first.powerOff();
  losesVolume(first);
  first.disk.set(PLACES.parked, { text: 'since=1\n', rights: ROOT_FILE });
  first.powerOn(false);
  first.ailing.root = 'read-only';
  fake.pass(10_000);
  let code: number | undefined;
  let ran = 0;
  fake.spawn(first, 'start', 600_000, async (world, settings) => {
    const runApp: typeof world.machine.runApp = async () => ran++;
    code = await start({ ...world, machine: { ...world.machine, runApp } }, settings, silent);
  });
  fake.pass(60_000);
  assert.equal({ code, ran }, { code: 3, ran: 0 });
});

test.run();
