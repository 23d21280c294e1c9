import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HealContext } from '../../../src/act/heal/heal-context.ts';
import { observe } from '../../../src/observe/observe.ts';
import { noLog } from '../../../src/report/log.ts';
import { newRecord } from '../../../src/state/heal-record.ts';
import { ThreeMembers } from '../../fake/three-members.ts';

const startedAt = '2026-01-01T00:00:00.000Z';
const begun = (...ids: readonly string[]) => ids.map((id) => ({ id, startedAt }));
const done = (...ids: readonly string[]) => begun(...ids).map((step) => ({ ...step, did: 'it' }));

test('a run that takes a heal up knows whether the data of the member that it had added were set aside', () => {
  const fake = new ThreeMembers('none');
  for (const [steps, stale] of [
    [done('fence', 'set-aside', 'stage', 'remove', 'add', 'start'), ''],
    [[...done('add', 'start', 'set-aside', 'stage'), ...begun('remove')], 'abc'],
    [[...done('add', 'start'), ...begun('set-aside')], ''],
    [done('add', 'start', 'set-aside', 'remove'), ''],
    // The old one was out of the list already: only the new one is named.
    [done('fence', 'set-aside', 'stage', 'add', 'start'), ''],
    [[...done('fence', 'set-aside', 'stage'), ...begun('add')], ''],
  ] as const) {
    const record = { ...newRecord(0, 'operator', 'stale/removed'), newMemberId: 'abc', steps: [...steps] };
    const heal = fake.run(
      async (world) => new HealContext(world, fake.settings, noLog, record, await observe(world)),
    );
    assert.is(heal.memory.staleMemberId, stale, steps.map(({ id }) => id).join(', '));
  }
});

test.run();
