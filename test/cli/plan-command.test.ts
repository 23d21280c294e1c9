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
import { PLACES } from '../fake/observation.ts';
import { ThreeMembers } from '../fake/three-members.ts';

test('a plan goes on from what an unfinished heal has written down: what may have voted is removed, not kept', () => {
  const fake = new ThreeMembers('WAL gone');
  const own = fake.oldId;
  fake.lists((all) => all.map((each) => (each.id === own ? { ...each, name: '', clientUrls: [] } : each)));
  fake.run(({ machine }) => markMember(machine, PLACES, { birthmark: '', dataDiskId: '' }));
  const planned = () =>
    fake.run(async (world) => {
      const situation = situationOf(await observe(world), PLACES);
      const diagnosis = diagnose(situation);
      const { steps, unfinished } = await planFor({ settings: fake.settings, world, situation, diagnosis });
      const left = healSteps.filter(({ id }) => steps.some((step) => step.id === id));
      const hand = { etcdctl: '', etcdUser: '', etcdPasswordFile: '', startCmd: [] };
      const text = commandsByHand(situation, PLACES, hand, left);
      return {
        ids: steps.map(({ id }) => id),
        unfinished,
        oldIds: text.match(/^oldId='.*'$/gm),
        reason: diagnosis.reason,
      };
    });
  const before = planned();
  assert.is(before.reason, 'stale/half-added');
  assert.not(before.ids.includes('remove'));
  assert.is(before.unfinished, null);
  assert.equal(before.oldIds, ["oldId=''"]);

  const startedAt = '2026-01-01T00:00:00.000Z';
  const steps = ['add', 'start', 'set-aside'].map((id) => ({ id, startedAt, did: 'it' }));
  const record = { ...newRecord(0, 'health-action', 'stale/removed'), newMemberId: own, steps };
  fake.run(({ machine }) => healRecordFile.write(machine, PLACES.journal, record));
  const after = planned();
  assert.ok(after.ids.includes('remove'), after.ids.join(', '));
  assert.is(after.unfinished, record.id);
  assert.is(after.oldIds?.at(-1), `oldId='${own}'`);
});

test.run();
