import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { deepCheck } from '../../../src/act/deep-check.ts';
import type { World } from '../../../src/observe/world.ts';
import { noLog } from '../../../src/report/log.ts';
import { deepCheckFile } from '../../../src/state/deep-check-file.ts';
import { PLACES } from '../../fake/observation.ts';
import { ThreeMembers } from '../../fake/three-members.ts';

test('where the others differed before, their majority of today proves nothing against this member', () => {
  const fake = new ThreeMembers('none', { onDivergence: 'heal' });
  const taints = (n: number) => Object.assign(fake.others[n]?.data ?? {}, { taint: 'x' });
  const check = (seen = (world: World) => world) => {
    fake.pass(600_000);
    return fake.run((world) => deepCheck(seen(world), fake.settings, noLog, 60_000));
  };
  taints(0);
  assert.is(check().result?.state, 'split');
  const compacted = async () => {
    throw new Error('mvcc: required revision has been compacted');
  };
  const failing = (world: World): World => ({
    ...world,
    cluster: (tls) => ({ ...world.cluster(tls), hashKv: compacted }),
  });
  assert.is(check(failing).result?.state, 'split', 'one that fails in between proves nothing either');
  taints(1);
  for (let checks = 0; checks < 3; checks++) {
    const { code, result, message } = check();
    assert.equal([code, result?.state], [0, 'split'], message);
  }
  for (const { data } of fake.others) Object.assign(data ?? {}, { taint: '' });
  assert.is(check().result?.state, 'equal');
});

test('a new member whose data differ from the others’ is not called healed, and stays on the copy', () => {
  const fake = new ThreeMembers('WAL gone');
  const { node, oldId } = fake;
  const put = node.putData.bind(node);
  node.putData = (data) => put(Object.assign(data, { taint: 'x' }));
  const ended = fake.heal('health-action');
  assert.is(ended?.outcome, 'failed', ended?.message);
  assert.match(
    ended?.message ?? '',
    /the data of this member differ from those of all others at revision \d+: hash \d+x,/,
  );
  assert.match(ended?.message ?? '', /What was done stays/);
  const written = fake.run(({ machine }) => deepCheckFile.read(machine, PLACES.deepCheck));
  assert.is(written?.state, 'differs');
  assert.is(fake.running, PLACES.copyUnit);
  assert.equal(fake.removed, [oldId], 'nobody else is touched');
  // As long as they cannot be compared again, what was found stands.
  Object.assign(node.data ?? {}, { taint: '' });
  fake.putKey('heal-node/deep-check', 'etcd1');
  assert.is(fake.resume()?.outcome, 'failed');
  fake.dropKey('heal-node/deep-check');
  // The same heal goes on when they are found equal.
  fake.pass(60_000);
  assert.is(fake.resume()?.outcome, 'healed');
  assert.is(fake.running, PLACES.unit);
  assert.equal(fake.removed, [oldId]);
});

test.run();
