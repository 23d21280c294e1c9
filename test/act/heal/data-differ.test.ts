import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PLACES } from '../../fake/observation.ts';
import { ThreeMembers } from '../../fake/three-members.ts';

test('a new member whose data differ from the others’ is not called healed, and stays on the copy', () => {
  const fake = new ThreeMembers('WAL gone');
  const { node, oldId } = fake;
  const put = node.putData.bind(node);
  node.putData = (data) => put(Object.assign(data, { taint: 'x' }));
  const ended = fake.heal('health-action');
  assert.is(ended?.outcome, 'failed', ended?.message);
  assert.match(ended?.message ?? '', /the data differ at revision \d+: http:\/\/10\.0\.0\.2:2379 0x,/);
  assert.match(ended?.message ?? '', /What was done stays/);
  assert.is(fake.running, PLACES.copyUnit);
  assert.equal(fake.removed, [oldId], 'nobody else is touched');
  // The same heal goes on when they are equal.
  Object.assign(node.data ?? {}, { taint: '' });
  assert.is(fake.resume()?.outcome, 'healed');
  assert.is(fake.running, PLACES.unit);
  assert.equal(fake.removed, [oldId]);
});

test.run();
