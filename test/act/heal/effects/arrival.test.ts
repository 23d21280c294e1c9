import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { arrivalText } from '../../../../src/act/heal/effects/arrival.ts';
import { runHealService } from '../../../../src/act/heal-service.ts';
import { PLACES } from '../../../fake/observation.ts';
import { ThreeMembers } from '../../../fake/three-members.ts';

test('how much has arrived, how fast, and how long the rest takes at that', () => {
  assert.is(
    arrivalText(200e6, 1200e6, 100e6, 5000),
    '200 of 1200 MB have arrived, 20 MB/s, about 50 s are left.',
  );
  assert.is(
    arrivalText(1.5e6, 3e6, 0.5e6, 5000),
    '1.5 of 3.0 MB have arrived, 0.1 MB/s, about 15 s are left.',
  );
});

test('nothing has come: no end is promised', () => {
  assert.is(arrivalText(200e6, 1200e6, 0, 5000), '200 of 1200 MB have arrived, none in the last 5 s.');
  assert.is(arrivalText(-1, 1200e6, -201e6, 5000), '0.0 of 1200 MB have arrived, none in the last 5 s.');
});

test('all has come, and more, as where it has been given its place: etcd still has to read it', () => {
  for (const bytes of [1200e6, 1300e6])
    assert.is(arrivalText(bytes, 1200e6, 1e6, 5000), 'All 1200 MB have arrived; etcd reads them now.');
});

test('it is logged every five seconds while the data arrive', () => {
  const fake = new ThreeMembers('WAL gone');
  fake.putFile(PLACES.request, JSON.stringify({ by: 'operator', atMs: fake.clock.nowMs }));
  const told: object[] = [];
  const log = {
    ...{ info: () => undefined, warn: () => undefined, error: () => undefined },
    info: (about: object) => void ('event' in about && about.event === 'progress' && told.push(about)),
  };
  const ended = fake.run((world) => {
    let beganMs = 0;
    const cluster: typeof world.cluster = (tls) => ({
      ...world.cluster(tls),
      // 22 s after the first question it has come up.
      whyNotServing: async (endpoint) => {
        beganMs ||= fake.clock.nowMs;
        return fake.clock.nowMs - beganMs > 22_000
          ? world.cluster(tls).whyNotServing(endpoint)
          : 'it receives its data';
      },
    });
    return runHealService({ ...world, cluster }, fake.settings, log);
  });
  assert.is(ended.outcome, 'healed', ended.message);
  assert.ok(told.length === 3 || told.length === 4, `${told.length} lines`);
  for (const about of told) assert.match(JSON.stringify(about), /"bytes":[1-9]\d*,"ofBytes":[1-9]/);
});

test.run();
