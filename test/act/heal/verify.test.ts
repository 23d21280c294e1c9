import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runHealService } from '../../../src/act/heal-service.ts';
import { ClusterError } from '../../../src/cluster/cluster.ts';
import type { World } from '../../../src/observe/world.ts';
import { deepCheckFile } from '../../../src/state/deep-check-file.ts';
import { healRecordFile, history, newRecord } from '../../../src/state/heal-record.ts';
import { nodeUrl } from '../../fake/network.ts';
import { PLACES } from '../../fake/observation.ts';
import { ThreeMembers } from '../../fake/three-members.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

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

for (const [version, comparedBy] of [
  ['3.4.19', 'verify'],
  ['3.4.20', 'confirm'],
  ['3.4.22', 'verify'],
  ['3.5.5', 'confirm'],
  ['3.5.6', 'verify'],
  ['', 'verify'],
] as const)
  test(`with etcd ${version || 'of an unknown version'} the new data are compared in ${comparedBy}`, () => {
    const fake = new ThreeMembers('WAL gone');
    fake.version = version;
    assert.is(fake.heal('operator')?.outcome, 'healed');
    const [heal] = fake.run(({ machine }) => history(machine, PLACES));
    const comparing = heal?.steps.filter(({ did }) => did?.includes('its data equal those of 2 others'));
    assert.equal(
      comparing?.map(({ id }) => id),
      [comparedBy],
    );
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

test('while data arrive, a disk that is busy for some seconds does not end the heal', () => {
  const fake = new ThreeMembers('WAL gone');
  fake.putFile(PLACES.request, JSON.stringify({ by: 'operator', atMs: fake.clock.nowMs }));
  let stalls = 0;
  const ended = fake.run((world) => {
    let arrives: number | undefined;
    const isArriving = (): boolean => {
      arrives ??= fake.running === PLACES.copyUnit ? world.machine.monotonicMs() : undefined;
      return arrives !== undefined && world.machine.monotonicMs() - arrives < 5000;
    };
    const machine: World['machine'] = {
      ...world.machine,
      examine: async (...args) => {
        if (isArriving() && stalls++ === 0) await world.machine.sleep(4000);
        return world.machine.examine(...args);
      },
    };
    const cluster: World['cluster'] = (tls) => ({
      ...world.cluster(tls),
      whyNotServing: async (endpoint) =>
        endpoint === nodeUrl(2, 2379) && isArriving()
          ? 'refused'
          : world.cluster(tls).whyNotServing(endpoint),
    });
    return runHealService({ ...world, machine, cluster }, fake.settings, silent);
  });
  assert.ok(stalls > 0);
  assert.is(ended.outcome, 'healed', ended.message);
});

test('nor while a membership call is asked again', () => {
  const fake = new ThreeMembers('WAL gone');
  fake.putFile(PLACES.request, JSON.stringify({ by: 'operator', atMs: fake.clock.nowMs }));
  let [refusals, stalls] = [0, 0];
  const ended = fake.run((world) => {
    const machine: World['machine'] = {
      ...world.machine,
      examine: async (...args) => {
        if (refusals === 1 && stalls++ === 0) await world.machine.sleep(4000);
        return world.machine.examine(...args);
      },
    };
    const cluster: World['cluster'] = (tls) => ({
      ...world.cluster(tls),
      addMember: async (...args) => {
        if (refusals++ === 0) throw new ClusterError('etcdserver: unhealthy cluster', true);
        return world.cluster(tls).addMember(...args);
      },
    });
    return runHealService({ ...world, machine, cluster }, fake.settings, silent);
  });
  assert.ok(stalls > 0);
  assert.is(ended.outcome, 'healed', ended.message);
});

test('a copy that crashes again and again is told with a line of its log, whatever it does when it is looked at', () => {
  const fake = new ThreeMembers('WAL gone');
  fake.putFile(PLACES.request, JSON.stringify({ by: 'operator', atMs: fake.clock.nowMs }));
  const ended = fake.run((world) => {
    const comesUp = {
      active: 'activating',
      sub: 'start',
      restarts: 3,
      mainPid: 777,
      exitPid: 777,
      exitKind: 0,
    };
    let isStarted = false;
    const machine: World['machine'] = {
      ...world.machine,
      systemctl: (words, limitMs) => {
        isStarted ||= words[0] === 'start' && words.includes(PLACES.copyUnit);
        return world.machine.systemctl(words, limitMs);
      },
      units: async (names) =>
        (await world.machine.units(names)).map((facts, i) =>
          isStarted && names[i] === PLACES.copyUnit ? { ...facts, ...comesUp } : facts,
        ),
      journal: async (unit) =>
        unit.mainPid === 777 ? ['bind: address already in use'] : world.machine.journal(unit),
    };
    const cluster: World['cluster'] = (tls) => ({
      ...world.cluster(tls),
      whyNotServing: async (endpoint) =>
        endpoint === nodeUrl(2, 2379) ? 'refused' : world.cluster(tls).whyNotServing(endpoint),
    });
    return runHealService({ ...world, machine, cluster }, fake.settings, silent);
  });
  assert.match(ended.message, /etcd1\.service does not stay up \(.*\): bind: address already in use/);
});

test('a heal that has ended well has ended, also where the volume has no room to note it', () => {
  const fake = new ThreeMembers('WAL gone');
  fake.putFile(PLACES.request, JSON.stringify({ by: 'operator', atMs: fake.clock.nowMs }));
  const ended = fake.run((world) => {
    const writeFile: World['machine']['writeFile'] = async (path, text, rights) => {
      if (path.startsWith(PLACES.history)) throw new Error('ENOSPC: no space left on device');
      return world.machine.writeFile(path, text, rights);
    };
    return runHealService({ ...world, machine: { ...world.machine, writeFile } }, fake.settings, silent);
  });
  assert.is(ended.outcome, 'healed', ended.message);
  assert.is(
    fake.run(({ machine }) => machine.kindOf(PLACES.journal)),
    'none',
  );
});

test('nor is one that was refused and taken back said to be unfinished there', () => {
  const fake = new ThreeMembers('WAL gone');
  fake.putFile(PLACES.request, JSON.stringify({ by: 'operator', atMs: fake.clock.nowMs }));
  const ended = fake.run((world) => {
    const writeFile: World['machine']['writeFile'] = async (path, text, rights) => {
      if (path === PLACES.copyEnv) throw new Error('it cannot be staged');
      if (path.startsWith(PLACES.history)) throw new Error('ENOSPC: no space left on device');
      return world.machine.writeFile(path, text, rights);
    };
    return runHealService({ ...world, machine: { ...world.machine, writeFile } }, fake.settings, silent);
  });
  assert.match(ended.message, /it cannot be staged\. All steps were taken back/);
});

test('where the members have changed since the list was staged, it is staged anew', () => {
  const fake = new ThreeMembers('WAL gone', {}, 5);
  fake.putFile(PLACES.request, JSON.stringify({ by: 'operator', atMs: fake.clock.nowMs }));
  const ended = fake.run((world) => {
    let isStarted = false;
    const systemctl: World['machine']['systemctl'] = async (words, limitMs) => {
      if (words[0] === 'start' && words.includes(PLACES.copyUnit) && !isStarted) {
        isStarted = true;
        fake.raft.propose(fake.served, (state) => ({
          ...state,
          members: state.members.filter(({ name }) => name !== 'etcd5'),
        }));
        await world.machine.sleep(500);
      }
      return world.machine.systemctl(words, limitMs);
    };
    return runHealService({ ...world, machine: { ...world.machine, systemctl } }, fake.settings, silent);
  });
  assert.is(ended.outcome, 'healed', ended.message);
  const [heal] = fake.run(({ machine }) => history(machine, PLACES));
  assert.is(heal?.steps.filter(({ id }) => id === 'stage').length, 2);
  assert.is(heal?.steps.filter(({ id }) => id === 'add').length, 1);
});

for (const [step, unit] of [
  ['verify', PLACES.copyUnit],
  ['confirm', PLACES.unit],
] as const)
  for (const fault of ['stalls', 'fails'])
    test(`one look in ${step} in which reading etcd.env ${fault} is no reason to end a heal`, () => {
      const fake = new ThreeMembers('WAL gone');
      const real = fake.world.bind(fake);
      let faults = 0;
      fake.world = (node, proc): World => {
        const world = real(node, proc);
        if (node !== fake.node) return world;
        let sinceMs: number | undefined;
        const arrives = (): boolean => {
          const last = JSON.parse(node.disk.text(PLACES.journal) ?? '{"steps":[]}').steps.at(-1)?.id;
          const nowMs = world.machine.monotonicMs();
          if (fake.running === unit && last === step) sinceMs ??= nowMs;
          return sinceMs !== undefined && nowMs - sinceMs < 6000;
        };
        const readFile: typeof world.machine.readFile = async (path) => {
          if (path === PLACES.env && arrives() && faults++ === 0) {
            if (fault === 'fails') throw new Error('EIO: i/o error, read');
            await world.machine.sleep(4000);
          }
          return world.machine.readFile(path);
        };
        const cluster: typeof world.cluster = (tls) => {
          const calls = world.cluster(tls);
          const whyNotServing = async (url: string) =>
            arrives() && url === nodeUrl(2, 2379) ? 'context deadline exceeded' : calls.whyNotServing(url);
          return { ...calls, whyNotServing };
        };
        return { ...world, machine: { ...world.machine, readFile }, cluster };
      };
      const ended = fake.heal('operator');
      assert.ok(faults > 0);
      assert.is(ended?.outcome, 'healed', ended?.message);
    });

test('a heal that had nothing to replace any more does not say that an ID became another', () => {
  const fake = new ThreeMembers('none');
  const id = fake.node.data?.memberId;
  fake.run(({ machine }) =>
    healRecordFile.write(machine, PLACES.journal, newRecord(0, 'gate', 'stale/removed')),
  );
  const ended = fake.resume();
  assert.match(`${ended?.message}`, new RegExp(`^Healed in \\d+ ms: etcd2, ${id} as before, is healthy`));
});

test('where somebody has put another member in the place of the one that it added, it names the one that serves', () => {
  const fake = new ThreeMembers('none');
  const record = { ...newRecord(0, 'gate', 'stale/removed'), oldMemberId: 'aaaa', newMemberId: 'beef' };
  fake.run(({ machine }) => healRecordFile.write(machine, PLACES.journal, record));
  assert.match(`${fake.resume()?.message}`, new RegExp(`etcd2, aaaa became ${fake.node.data?.memberId}, is`));
});

test.run();
