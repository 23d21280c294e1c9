import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { deepCheck } from '../../../src/act/deep-check.ts';
import { runHealService } from '../../../src/act/heal-service.ts';
import { healthAction } from '../../../src/act/health-action.ts';
import type { World } from '../../../src/observe/world.ts';
import type { Mode } from '../../../src/settings/settings-table.ts';
import { healRecordFile, newRecord } from '../../../src/state/heal-record.ts';
import { requestFile } from '../../../src/state/heal-request.ts';
import { PLACES } from '../../fake/observation.ts';
import { UNIT_TEXT } from '../../fake/paths.ts';
import { ThreeMembers } from '../../fake/three-members.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const MINUTE_MS = 60_000;

interface Begun {
  readonly mode?: Mode;
  /** When somebody last touched a file of the swap. */
  readonly touchedMs?: number;
  /** What runs beside. */
  readonly beside?: readonly string[];
  /** Begun by a heal of ours: its journal is there. */
  readonly ours?: true;
  readonly broken?: 'WAL damaged';
  readonly maxPerDay?: number;
  /** On its way back: the unit has its name again, and reads the copied environment still. */
  readonly pointsAway?: true;
}

/** A person has got as far as step 3 of the runbook, on a member that is stale; then something of ours looks. */
function begun<T>(
  { mode = 'auto', touchedMs = 60 * MINUTE_MS, beside, ours, broken, maxPerDay = 3, pointsAway }: Begun,
  looks: (world: World, fake: ThreeMembers) => Promise<T>,
): { fake: ThreeMembers; result: T } {
  const fake = new ThreeMembers(broken ?? 'WAL gone', { mode, maxPerDay });
  fake.node.mode = mode;
  const { disk } = fake.node;
  disk.move(PLACES.unitFile, PLACES.copyUnitFile);
  fake.node.systemctl(['daemon-reload']);
  fake.node.systemctl(['reset-failed', PLACES.unit]);
  fake.putFile(PLACES.copyEnv, disk.entries.get(PLACES.env)?.text ?? '');
  if (pointsAway) {
    disk.move(PLACES.copyUnitFile, PLACES.unitFile);
    fake.putFile(PLACES.unitFile, UNIT_TEXT.replace(PLACES.env, PLACES.copyEnv));
  }
  const atMs = fake.clock.nowMs - touchedMs;
  const result = fake.run(async (world) => {
    if (ours) {
      const record = newRecord(world.machine.now(), 'health-action', 'stale/already-bootstrapped');
      await healRecordFile.write(world.machine, PLACES.journal, record);
    }
    const machine: World['machine'] = {
      ...world.machine,
      changedMs: async (path) => (disk.kindOf(path) === 'none' ? undefined : atMs),
      commandLines: async () => [['/sbin/init'], ...(beside ? [beside] : [])],
    };
    return looks({ ...world, machine }, fake);
  });
  return { fake, result };
}

const service = (world: World, fake: ThreeMembers) => runHealService(world, fake.settings, silent);
const asked = (by: 'operator' | 'health-action' | 'start') => async (world: World, fake: ThreeMembers) => {
  await requestFile.write(world.machine, PLACES.request, { by, atMs: world.machine.now() });
  return service(world, fake);
};
const untouched = (fake: ThreeMembers): void => {
  assert.equal(fake.removed, []);
  assert.is(fake.node.disk.kindOf(PLACES.copyUnitFile), 'file');
  assert.is(fake.node.disk.kindOf(PLACES.copyEnv), 'file');
  assert.is(fake.node.disk.kindOf(PLACES.unitFile), 'none');
};

const left: readonly (readonly [why: string, begun: Begun, says: RegExp])[] = [
  [
    'in manual mode',
    { mode: 'manual' },
    /begun by hand \(.*etcd1\.service and .*etcd1\.env\), and HEAL_MODE is manual/,
  ],
  ['touched a minute ago', { touchedMs: MINUTE_MS }, /touched 60 s ago; .* nobody has touched it for 300 s/],
  ['touched in a future that the clock was set back from', { touchedMs: -MINUTE_MS }, /touched 60 s ago/],
  [
    'edited right now',
    { beside: ['vi', '/opt/app/conf/etcd1.env'] },
    /`vi \/opt\/app\/conf\/etcd1\.env` is at work/,
  ],
  ['started right now', { beside: ['systemctl', 'start', 'etcd1'] }, /`systemctl start etcd1` is at work/],
  [
    'watched right now',
    { beside: ['journalctl', '-fu', 'etcd1.service'] },
    /`journalctl -fu etcd1\.service` is/,
  ],
];

for (const [why, how, says] of left) {
  for (const by of ['health-action', 'start'] as const)
    test(`a runbook that a person has begun, ${why}, is not taken up for ${by}, and says why`, () => {
      const { fake, result } = begun(how, asked(by));
      assert.is(result.outcome, 'refused', result.message);
      assert.match(result.message, says);
      assert.match(result.message, /finish it, or run `heal-node resume` or `heal-node restore`/);
      untouched(fake);
    });

  test(`nor at a boot: ${why}`, () => {
    const { fake, result } = begun(how, service);
    assert.match(result.outcome, /refused|nothing/);
    untouched(fake);
  });

  test(`nor by the health action itself, which says why: ${why}`, () => {
    const { fake, result } = begun(how, (world, { settings }) => healthAction(world, settings, silent));
    assert.is(result.code, 3);
    assert.match(result.message, /^etcd2 is healing \(healing\/swapped\).* Nothing is done: a runbook/);
    assert.match(result.message, says);
    assert.is(fake.node.disk.kindOf(PLACES.request), 'none', 'nobody is asked');
    untouched(fake);
  });

  test(`but an operator's heal, resume or restore takes it up: ${why}`, () => {
    const { fake, result } = begun(how, asked('operator'));
    assert.is(result.outcome, 'healed', result.message);
    assert.equal(fake.removed, [fake.oldId]);
  });

  test(`and a heal of ours goes on all the same: ${why}`, () => {
    const { result } = begun({ ...how, ours: true }, asked('health-action'));
    assert.is(result.outcome, 'healed', result.message);
  });
}

test('in auto one that nobody has touched for some minutes is taken up', () => {
  for (const beside of [
    undefined,
    ['systemctl', 'show', '--no-pager', '--', 'etcd.service', 'etcd1.service'],
  ]) {
    const { fake, result } = begun(beside ? { beside } : {}, asked('health-action'));
    assert.is(result.outcome, 'healed', result.message);
    assert.equal(fake.removed, [fake.oldId]);
  }
});

for (const pointsAway of [undefined, true] as const)
  test(`of damaged data that nothing in this boot proves stale the originals come back${pointsAway ? ', from a unit that reads the copy' : ''}, and etcd is asked`, () => {
    const { fake, result } = begun(
      { broken: 'WAL damaged', ...(pointsAway && { pointsAway }) },
      asked('health-action'),
    );
    const { disk } = fake.node;
    assert.is(result.outcome, 'refused');
    assert.match(result.message, /stale: nothing seen in this boot proves.* All steps were taken back \(/);
    assert.is(disk.text(PLACES.unitFile), UNIT_TEXT);
    assert.is(disk.kindOf(PLACES.copyUnitFile), 'none');
    assert.is(disk.kindOf(PLACES.copyEnv), 'none');
    assert.equal(fake.removed, [], 'damage that is only read removes nobody');
    const action = () => fake.run((world) => healthAction(world, fake.settings, silent));
    assert.match(action().message, /Restarted with/);
    fake.pass(10_000);
    assert.match(action().message, /etcd2 is stale \(stale\/wal-damaged\).* Healed in/);
    assert.equal(fake.removed, [fake.oldId]);
  });

test('but not where anything else keeps the heal from it', () => {
  const { fake, result } = begun({ broken: 'WAL damaged', maxPerDay: 0 }, asked('health-action'));
  assert.match(result.message, /stale: nothing seen in this boot.*daily-limit: .* Nothing was changed/);
  untouched(fake);
});

test('the deep check leaves it alone in the same way', () => {
  for (const [how, says] of [
    [{ mode: 'manual' }, /^etcd2 is healing \(healing\/swapped\): [^.]*\.$/],
    [{ touchedMs: MINUTE_MS }, /It is left alone: a runbook/],
    [{}, /It is taken up again/],
  ] as const) {
    let requests = 0;
    const { result } = begun(how, (world, fake) => {
      const systemctl = async () => void requests++;
      return deepCheck({ ...world, machine: { ...world.machine, systemctl } }, fake.settings, silent, 60_000);
    });
    assert.is(result.code, 0);
    assert.match(result.message, says);
    assert.is(requests, 'mode' in how || 'touchedMs' in how ? 0 : 1);
  }
});

test('a person who begins by hand after the look, and before the fence, is left alone', () => {
  const fake = new ThreeMembers('WAL gone');
  const { disk } = fake.node;
  const said = fake.run(async (world) => {
    const machine: World['machine'] = {
      ...world.machine,
      // Asked once, by the look that finds it stale.
      network: async (ports) => {
        const found = await world.machine.network(ports);
        disk.move(PLACES.unitFile, PLACES.copyUnitFile);
        return found;
      },
      changedMs: async (path) => (disk.kindOf(path) === 'none' ? undefined : world.machine.now()),
    };
    return asked('health-action')({ ...world, machine }, fake);
  });
  assert.is(said.outcome, 'refused');
  assert.match(said.message, /by-hand: a runbook has been begun by hand \(.*etcd1\.service\)/);
  assert.equal(fake.removed, []);
  assert.is(disk.kindOf(PLACES.copyUnitFile), 'file');
});

test.run();
