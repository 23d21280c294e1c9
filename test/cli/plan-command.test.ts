import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { planFor } from '../../src/cli/plan-command.ts';
import { diagnose } from '../../src/diagnose/diagnose.ts';
import { situationOf } from '../../src/diagnose/situation.ts';
import { observe } from '../../src/observe/observe.ts';
import { commandsByHand } from '../../src/plan/by-hand.ts';
import { healSteps } from '../../src/plan/heal-steps.ts';
import { healRecordFile, newRecord } from '../../src/state/heal-record.ts';
import { markMember } from '../../src/state/member-mark.ts';
import { pauseNode } from '../../src/state/pause.ts';
import { PLACES } from '../fake/observation.ts';
import { ThreeMembers } from '../fake/three-members.ts';

const planned = (fake: ThreeMembers) =>
  fake.run(async (world) => {
    const situation = situationOf(await observe(world), PLACES);
    const diagnosis = diagnose(situation);
    const found = await planFor({ settings: fake.settings, world, situation, diagnosis });
    const left = healSteps.filter(({ id }) => found.steps.some((step) => step.id === id));
    const hand = { etcdctl: '', etcdUser: '', etcdPasswordFile: '', startCmd: [] };
    return {
      ids: found.steps.map(({ id }) => id),
      refusing: found.guards.filter(({ pass }) => !pass).map(({ id }) => id),
      unfinished: found.unfinished,
      oldIds: commandsByHand(situation, PLACES, hand, left).match(/^oldId='.*'$/gm),
      reason: diagnosis.reason,
    };
  });

test('a plan goes on from what an unfinished heal has written down: what may have voted is removed, not kept', () => {
  const fake = new ThreeMembers('WAL gone');
  const own = fake.oldId;
  fake.lists((all) => all.map((each) => (each.id === own ? { ...each, name: '', clientUrls: [] } : each)));
  fake.run(({ machine }) => markMember(machine, PLACES, { birthmark: '', dataDiskId: '' }));
  const before = planned(fake);
  assert.is(before.reason, 'stale/half-added');
  assert.not(before.ids.includes('remove'));
  assert.is(before.unfinished, null);
  assert.equal(before.oldIds, ["oldId=''"]);

  const startedAt = '2026-01-01T00:00:00.000Z';
  const steps = ['add', 'start', 'set-aside'].map((id) => ({ id, startedAt, did: 'it' }));
  const record = { ...newRecord(0, 'health-action', 'stale/removed'), newMemberId: own, steps };
  fake.run(({ machine }) => healRecordFile.write(machine, PLACES.journal, record));
  const after = planned(fake);
  assert.ok(after.ids.includes('remove'), after.ids.join(', '));
  assert.is(after.unfinished, record.id);
  assert.is(after.oldIds?.at(-1), `oldId='${own}'`);
  const ended = fake.resume();
  assert.is(ended?.outcome, 'healed', ended?.message);
  assert.equal(fake.removed, [own], 'the heal does the same');
});

test('a plan lists the removal that a heal comes to as it sets the data aside', () => {
  const fake = new ThreeMembers('WAL damaged');
  const own = fake.oldId;
  fake.lists((all) => all.map((each) => (each.id === own ? { ...each, name: '', clientUrls: [] } : each)));
  const { ids, oldIds } = planned(fake);
  assert.ok(ids.includes('remove'), ids.join(', '));
  assert.is(oldIds?.at(-1), `oldId='${own}'`);
  assert.is(fake.heal('operator')?.outcome, 'healed');
  assert.equal(fake.removed, [own]);
});

test('a plan says that heals are paused where the pause holds for the heal, too, that is not finished', () => {
  const fake = new ThreeMembers('WAL damaged');
  const startedAt = '2026-01-01T00:00:00.000Z';
  const steps = ['remove', 'add', 'start'].map((id) => ({ id, startedAt, did: 'it' }));
  const record = { ...newRecord(0, 'health-action', 'stale/removed'), steps };
  fake.run(({ machine }) => healRecordFile.write(machine, PLACES.journal, record));
  assert.equal(planned(fake).refusing, []);
  fake.run(({ machine }) => pauseNode(machine, PLACES, 'paused by me', 1e6));
  assert.equal(planned(fake).refusing, ['not-paused']);
});

test.run();
