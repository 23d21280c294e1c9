import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { deepCheckFile } from '../../../src/state/deep-check-file.ts';
import { PLACES } from '../../fake/observation.ts';
import { ThreeMembers } from '../../fake/three-members.ts';

const written = (fake: ThreeMembers) =>
  fake.run(({ machine }) => deepCheckFile.read(machine, PLACES.deepCheck));

test('a heal compares the new data once, and writes down what it found and what that cost', () => {
  const fake = new ThreeMembers('WAL gone');
  const outcome = fake.heal('operator');
  assert.is(outcome?.outcome, 'healed', outcome?.message);
  const result = written(fake);
  assert.is(result?.state, 'equal', result?.text);
  assert.is(result?.memberId, fake.node.data?.memberId);
  assert.ok((result?.comparison?.sumMs ?? 0) > 0);
});

test('a heal does not fail for want of a comparison', () => {
  for (const compare of [0, 0.001]) {
    const fake = new ThreeMembers('WAL gone', { compare });
    fake.putKey('heal-node/deep-check', 'etcd1');
    const outcome = fake.heal('operator');
    assert.is(outcome?.outcome, 'healed', outcome?.message);
    assert.is(written(fake)?.state, 'unknown');
  }
});

test.run();
