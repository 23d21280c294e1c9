import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { history } from '../../../src/state/heal-record.ts';
import { PLACES } from '../../fake/observation.ts';
import { ThreeMembers } from '../../fake/three-members.ts';

/** A heal that is taken back, because the others go when everything is staged; then they are back. */
function takenBack(fake: ThreeMembers) {
  fake.once(
    () => fake.node.disk.kindOf(PLACES.copyEnv) === 'file',
    () => fake.othersOff(),
  );
  const ended = fake.heal('health-action');
  fake.othersOn();
  return ended;
}
/** What the health action does about a member that is stopped: it crashes again on what it has. */
function restarted(fake: ThreeMembers): void {
  fake.node.app('restart');
  fake.pass(10_000);
}
const notes = (path: string): boolean =>
  path.endsWith('/heal-node/member') || // the marks
  path.startsWith(PLACES.history) ||
  path === PLACES.outcome ||
  path === PLACES.metrics;

test('heals that were taken back leave all that a day may have', () => {
  const fake = new ThreeMembers('WAL gone');
  const before = fake.files(notes);
  for (let n = 1; n <= fake.settings.maxPerDay + 1; n++) {
    const ended = takenBack(fake);
    assert.is(ended?.outcome, 'refused', ended?.message);
    assert.match(ended?.message ?? '', /refused before remove: quorum: .*All steps were taken back/, `${n}`);
    assert.equal(fake.files(notes), before);
    restarted(fake);
  }
  assert.is(fake.run(({ machine }) => history(machine, PLACES)).length, fake.settings.maxPerDay + 1);
  const ended = fake.heal('health-action');
  assert.is(ended?.outcome, 'healed', ended?.message);
});

test('one that goes on replaces its own new member no more often than a day may have', () => {
  const fake = new ThreeMembers('WAL gone', { maxPerDay: 3 });
  const { node } = fake;
  let crashes = 0;
  const damagesNext = (): void =>
    fake.once(
      () => node.etcd !== undefined && fake.running === PLACES.copyUnit && fake.raft.serves(node.etcd),
      () => {
        crashes++;
        node.powerOff();
        if (node.data) node.putData({ ...node.data, harm: 'crc mismatch' });
        node.powerOn(false);
        damagesNext();
      },
    );
  damagesNext();
  fake.heal('health-action');
  fake.pass(120_000);
  assert.is(fake.removed.length, 3, `${crashes} crashes`);
  const ended = fake.heal('health-action');
  assert.match(ended?.message ?? '', /daily-limit/, JSON.stringify(ended));
  assert.is(fake.removed.length, 3);
});

test('a member that was added and has not told its name comes back, whatever the limit', () => {
  const fake = new ThreeMembers('WAL gone', { maxPerDay: 1 });
  const added = () => fake.listed.find(({ name }) => name === '');
  fake.once(
    () => added() !== undefined,
    () => {
      fake.node.powerOff();
      fake.clock.after(30_000, () => {
        fake.node.powerOn(true);
        return true;
      });
    },
  );
  fake.heal('health-action');
  fake.pass(120_000);
  const ended = fake.resume();
  assert.ok(fake.healthy(fake.node), ended?.message);
});

test('heals that changed the cluster count, and the refusal names how the last one ended', () => {
  const fake = new ThreeMembers('WAL gone', { maxPerDay: 1 });
  assert.is(fake.heal('health-action')?.outcome, 'healed');
  fake.node.powerOff();
  fake.node.disk.delete('/var/lib/etcd/default.etcd/member/wal');
  fake.node.powerOn(false);
  fake.pass(10_000);
  const limited = fake.heal('health-action');
  assert.is(limited?.outcome, 'refused');
  assert.match(
    limited?.message ?? '',
    /daily-limit: 1 replacements were begun in 24 hours, HEAL_MAX_PER_DAY is 1;.*The last one ended with: Healed in/,
  );
  assert.match(limited?.message ?? '', /Nothing was changed/);
  fake.pass(86_400_000);
  assert.is(fake.heal('health-action')?.outcome, 'healed', 'a day later');
});

test('a refusal before the first step changes nothing, is no heal of that day, and names its own reason', () => {
  const fake = new ThreeMembers('WAL gone', { maxPerDay: 1 });
  const view = fake.node.disk.entries.get(PLACES.appEnv)?.text ?? '';
  for (let n = 0; n < 3; n++) {
    fake.putFile(PLACES.appEnv, view.replace('DELETED_NODES=""', 'DELETED_NODES="3=10.0.0.3"'));
    const refused = fake.heal('health-action');
    assert.is(refused?.outcome, 'refused');
    assert.match(refused?.message ?? '', /refused before fence: app-quiet: nodes are being deleted/);
    assert.match(refused?.message ?? '', /Nothing was changed\.$/);
    assert.not.match(refused?.message ?? '', /taken back|daily-limit/);
  }
  assert.is(fake.run(({ machine }) => history(machine, PLACES)).length, 0);
  fake.putFile(PLACES.appEnv, view);
  assert.is(fake.heal('health-action')?.outcome, 'healed');
});

for (const [how, path] of [
  ['could not even begin', PLACES.journal],
  ['has only begun to save the original', PLACES.originalRights],
] as const)
  test(`what was never done is not taken back: a fence that ${how}`, () => {
    const fake = new ThreeMembers('WAL gone', { maxPerDay: 1 });
    const before = fake.files(notes);
    fake.once(
      () => fake.node.disk.kindOf(path) === 'file',
      () => Object.assign(fake.node.ailing, { root: 'full' }),
    );
    const failed = fake.heal('health-action');
    assert.is(failed?.outcome, 'failed');
    assert.match(failed?.message ?? '', /ENOSPC: no space left on device.*Nothing was changed\.$/);
    fake.node.ailing.root = 'no';
    assert.equal(
      fake.files((each) => notes(each) || each === PLACES.request),
      before,
    );
    assert.is(fake.heal('health-action')?.outcome, 'healed');
  });

test.run();
