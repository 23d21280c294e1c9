import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { healthAction } from '../../../src/act/health-action.ts';
import { start } from '../../../src/act/start-stop.ts';
import { ClusterError } from '../../../src/cluster/cluster.ts';
import { situationOf } from '../../../src/diagnose/situation.ts';
import { diskNotMounted } from '../../../src/observe/look-at-host.ts';
import { observe } from '../../../src/observe/observe.ts';
import type { World } from '../../../src/observe/world.ts';
import { noLog } from '../../../src/report/log.ts';
import type { Settings } from '../../../src/settings/settings-table.ts';
import { history } from '../../../src/state/heal-record.ts';
import { HEAL_UNIT } from '../../../src/state/places.ts';
import { changesUrls, runVerb } from '../../fake/app.ts';
import { PLACES } from '../../fake/observation.ts';
import { ROOT_FILE } from '../../fake/paths.ts';
import { ThreeMembers } from '../../fake/three-members.ts';
import { DNS, FIRST, good, putCertificates } from '../../fake/tls.ts';

const TLS = { ETCD_ENABLE_TLS: 'true', ETCD_CLUSTER_DNS: DNS };
const OLD = 'http://10.0.0.2:2380';
const NEW = `https://etcd2${DNS}:2380`;

/** confd renders the app's view of member 2 anew. */
function renders({ node }: ThreeMembers, changes: Readonly<Record<string, string>>): void {
  node.disk.set(PLACES.appEnv, { text: node.appView(changes), rights: ROOT_FILE });
}

/** The app's commands that heal-node runs on member 2; they end with `code` at once where it is given. */
function appRuns(fake: ThreeMembers, code?: number): string[] {
  const ran: string[] = [];
  const world = fake.world.bind(fake);
  fake.world = (node, proc) => {
    const real = world(node, proc);
    const runApp: typeof real.machine.runApp = (argv, limitMs) => {
      ran.push(argv.join(' '));
      return code === undefined ? real.machine.runApp(argv, limitMs) : Promise.resolve(code);
    };
    return { ...real, machine: { ...real.machine, runApp } };
  };
  return ran;
}

/** What files say of member 2, where its unit is aside or not, and the others answer by the URLs of etcd.env or do not. */
function looked(
  changes: Readonly<Record<string, string>>,
  aside: boolean,
  answers: boolean,
  mayAnswer = false,
  trace: string = PLACES.copyUnitFile,
  broken: 'none' | 'WAL gone' = 'none',
) {
  const fake = new ThreeMembers(broken);
  renders(fake, changes);
  if (aside) fake.putFile(trace, '');
  return fake.run(async (world) => {
    const health = async () =>
      answers ? ({ state: 'true' } as const) : ({ state: 'none', why: '', mayAnswer } as const);
    const { config, hasNewUrls } = situationOf(
      await observe({ ...world, health }, undefined, ['files']),
      PLACES,
    );
    return {
      peerUrls: config?.peerUrls,
      other: config?.otherPeerUrls,
      client: config?.clientUrl,
      hasNewUrls,
    };
  });
}

test("where the unit is aside, the app's view has other URLs and nobody answers by the old ones, the new ones count", () => {
  const client = `https://etcd2${DNS}:2379`;
  assert.equal(looked(TLS, true, false), { peerUrls: [NEW], other: [OLD], client, hasNewUrls: true });
});

test('so they do where a runbook begun by hand has come no further than a copy of etcd.env', () => {
  const client = `https://etcd2${DNS}:2379`;
  const said = looked(TLS, true, false, false, PLACES.copyEnv);
  assert.equal(said, { peerUrls: [NEW], other: [OLD], client, hasNewUrls: true });
});

test('so they do on a node without data whose unit is in place, as the app may not start it', () => {
  const client = `https://etcd2${DNS}:2379`;
  const said = looked(TLS, false, false, false, '', 'WAL gone');
  assert.equal(said, { peerUrls: [NEW], other: [OLD], client, hasNewUrls: true });
});

test('as long as the others answer by the old URLs, these count, and its entry is found by both', () => {
  const client = 'http://10.0.0.2:2379';
  assert.equal(looked(TLS, true, true), { peerUrls: [OLD], other: [NEW], client, hasNewUrls: false });
});

test('whoever is silent, or late, may answer by the old ones yet', () => {
  const client = 'http://10.0.0.2:2379';
  assert.equal(looked(TLS, true, false, true), { peerUrls: [OLD], other: [NEW], client, hasNewUrls: false });
});

test('nothing else counts than etcd.env where the unit is in place, or the view says the same, or nothing of this node', () => {
  const client = 'http://10.0.0.2:2379';
  const asWritten = { peerUrls: [OLD], other: [], client, hasNewUrls: false };
  assert.equal(looked(TLS, false, false), asWritten);
  assert.equal(looked({}, true, false), asWritten);
  assert.equal(looked({ ...TLS, STABLE_NODES: '' }, true, false), asWritten);
});

test('a view of another node says nothing of how this one is called', () => {
  const asWritten = { peerUrls: [OLD], other: [], client: 'http://10.0.0.2:2379', hasNewUrls: false };
  for (const answers of [true, false])
    assert.equal(looked({ ...TLS, MY_SID: '3', MY_IP: '10.0.0.3' }, true, answers), asWritten);
});

test('without TLS no certificates count that etcd.env still names', () => {
  const fake = new ThreeMembers('none', {}, 3, true);
  renders(fake, { ETCD_ENABLE_TLS: 'false' });
  fake.putFile(PLACES.copyUnitFile, '');
  const config = fake.run(async (world) => {
    const health = async () => ({ state: 'none', why: '' }) as const;
    return situationOf(await observe({ ...world, health }, undefined, ['files']), PLACES).config;
  });
  assert.equal(config?.peerUrls, [OLD]);
  assert.equal([config?.certificates, config?.tls], [[], undefined]);
});

test('a disk that is the root disk is not called lost for want of an etcd.env that is there, with old URLs', () => {
  const onRoot = (lost: boolean): string => {
    const fake = new ThreeMembers('none', {}, 3, true);
    fake.node.disk.delete('/etc/fstab');
    if (!lost) fake.putFile(PLACES.copyUnitFile, '');
    renders(fake, { ETCD_CLUSTER_DNS: '.other' });
    return fake.run(async (world) => {
      const health = async () => ({ state: 'none', why: '' }) as const;
      const { config } = situationOf(await observe({ ...world, health }, undefined, ['files']), PLACES);
      if (config === undefined) throw new Error('no settings');
      const machine = { ...world.machine, isOnRoot: async () => true };
      return diskNotMounted(machine, lost ? { ...config, ofView: {} } : config, '');
    });
  };
  assert.is(onRoot(false), '');
  assert.match(onRoot(true), /and etcd\.env, too, is lost$/);
});

/** confd renders another value of a setting while the heal is under way. */
const settingChanges = (fake: ThreeMembers): void =>
  fake.once(
    () => fake.removed.length > 0,
    () => renders(fake, { ETCD_QUOTA_BYTES: '2147483649' }),
  );

test("what confd has changed during a heal comes into etcd.env by the app's start, where the unit is back", () => {
  const fake = new ThreeMembers('WAL damaged');
  const ran = appRuns(fake);
  settingChanges(fake);
  const ended = fake.heal('health-action');
  assert.is(ended?.outcome, 'healed', ended?.message);
  assert.equal(ran, ['/opt/app/bin/ctl.sh start']);
  assert.is(fake.running, PLACES.unit);
});

test("an app's start that has failed is not said to have started etcd", () => {
  const dids = [undefined, 1].map((code) => {
    const fake = new ThreeMembers('WAL damaged');
    appRuns(fake, code);
    settingChanges(fake);
    assert.is(fake.heal('health-action')?.outcome, 'healed');
    const [heal] = fake.run(({ machine }) => history(machine, PLACES));
    return heal?.steps.find(({ id }) => id === 'restore')?.did ?? '';
  });
  assert.match(dids[0] ?? '', /etcd is started on it by `\/opt\/app\/bin\/ctl\.sh start`/);
  assert.match(dids[1] ?? '', /etcd is started on it$/);
});

/** The healer is killed when the original unit is back and etcd is not started on it yet; `.env` has changed since it began. */
function cutWhereUnitIsBack(fake: ThreeMembers): void {
  settingChanges(fake);
  fake.once(
    () => fake.file(PLACES.restored) !== undefined,
    () => fake.node.systemctl(['kill', HEAL_UNIT]),
  );
  fake.putFile(PLACES.request, JSON.stringify({ by: 'health-action', atMs: fake.clock.nowMs }));
  fake.node.systemctl(['start', HEAL_UNIT]);
}

test("where the app's start fails on the original unit, etcd is started on it all the same, and the heal ends", () => {
  const fake = new ThreeMembers('WAL damaged');
  const ran = appRuns(fake, 19);
  cutWhereUnitIsBack(fake);
  fake.pass(5 * 60_000);
  assert.ok(ran.length <= 2, 'once by each healer');
  assert.is(fake.running, PLACES.unit);
  assert.ok(fake.healthy(fake.node));
  assert.not(fake.file(PLACES.journal));
});

test("nor is the app's start run beside one of its verbs, or on a node that is being added", () => {
  const moments: Readonly<Record<string, (fake: ThreeMembers) => void>> = {
    'a backup runs': (fake) => void runVerb(fake.node, 'backup'),
    'the node is being added': (fake) =>
      renders(fake, { ETCD_QUOTA_BYTES: '2147483649', IS_ADDED: 'true', ADDED_NODES: '2=10.0.0.2' }),
  };
  for (const [when, happens] of Object.entries(moments))
    for (const cut of [true, false]) {
      const fake = new ThreeMembers('WAL damaged');
      const ran = appRuns(fake);
      fake.once(
        () => fake.running === PLACES.copyUnit && fake.healthy(fake.node),
        () => happens(fake),
      );
      if (cut) cutWhereUnitIsBack(fake);
      else fake.heal('health-action');
      fake.pass(60_000);
      assert.equal(ran, [], when);
      assert.is(fake.running, PLACES.unit, when);
      assert.not(fake.file(PLACES.journal), when);
    }
});

test("where it has changed nothing, the app's start is not run", () => {
  const fake = new ThreeMembers('WAL damaged');
  const ran = appRuns(fake);
  assert.is(fake.heal('health-action')?.outcome, 'healed');
  assert.equal(ran, []);
});

test('nor where it could make a new authority: TLS is on by the view, and there are no certificates', () => {
  const fake = new ThreeMembers('WAL damaged');
  const ran = appRuns(fake);
  fake.once(
    () => fake.removed.length > 0,
    () => renders(fake, TLS),
  );
  fake.heal('health-action');
  assert.equal(ran, []);
});

test('nor where that has come about since it was decided to run it', () => {
  const fake = new ThreeMembers('WAL damaged');
  const ran = appRuns(fake);
  settingChanges(fake);
  fake.once(
    () => fake.file(PLACES.restored) !== undefined,
    () => renders(fake, TLS),
  );
  fake.heal('health-action');
  assert.equal(ran, []);
});

test('other URLs come into etcd.env also where they were given before this heal began: a person had moved the unit aside', () => {
  const fake = new ThreeMembers('WAL gone', {}, 3, true);
  const ran = appRuns(fake);
  const { disk } = fake.node;
  const unit = disk.entries.get(PLACES.unitFile);
  if (unit) disk.set(PLACES.copyUnitFile, unit);
  disk.delete(PLACES.unitFile);
  fake.node.systemctl(['daemon-reload']);
  changesUrls(fake, undefined);
  fake.pass(60_000);
  const ended = fake.heal('operator');
  assert.is(ended?.outcome, 'healed', ended?.message);
  assert.equal(ran, ['/opt/app/bin/ctl.sh start']);
  assert.match(disk.text(PLACES.env) ?? '', /^ETCD_ADVERTISE_CLIENT_URLS=http:/m);
});

test("the app's start is not run without certificates where nobody answers for a moment, and nothing says that it was a member", () => {
  const fake = new ThreeMembers('WAL damaged');
  const ran = appRuns(fake);
  const world = fake.world.bind(fake);
  fake.world = (node, proc) => {
    const real = world(node, proc);
    return { ...real, machine: { ...real.machine, reach: async () => 'refused' as const } };
  };
  fake.once(
    () => fake.removed.length > 0,
    () => renders(fake, TLS),
  );
  fake.heal('health-action');
  assert.equal(ran, []);
});

test('a refusal that passes does not end the heal where its member is to be listed by other URLs', () => {
  const fake = new ThreeMembers('WAL damaged', {}, 3);
  putCertificates(fake.node, good);
  let refusals = 0;
  const world = fake.world.bind(fake);
  fake.world = (node, proc) => {
    const real = world(node, proc);
    const cluster: typeof real.cluster = (tls) => {
      const all = real.cluster(tls);
      const updateMember: typeof all.updateMember = async (...args) => {
        if (refusals++ === 0) throw new ClusterError('etcdserver: leader changed', true);
        return all.updateMember(...args);
      };
      // The app lists those that have a name meanwhile.
      const addMember: typeof all.addMember = async (...args) => {
        await real.machine.sleep(5000);
        return all.addMember(...args);
      };
      return { ...all, updateMember, addMember };
    };
    return { ...real, cluster };
  };
  fake.once(
    () => fake.removed.length > 0,
    () => changesUrls(fake, FIRST),
  );
  fake.heal('health-action');
  assert.is(refusals, 2);
});

const calls = {
  'the health action': async (world: World, settings: Settings) =>
    (await healthAction(world, settings, noLog)).message,
  start: async (world: World, settings: Settings) => `${await start(world, settings, noLog)}`,
};
for (const [by, call] of Object.entries(calls))
  test(`an etcd.env that was half-written as the power went is written anew by ${by}, and the heal is taken up`, () => {
    const fake = new ThreeMembers('WAL damaged');
    const world = fake.world.bind(fake);
    let cuts = 0;
    fake.world = (node, proc) => {
      const real = world(node, proc);
      const runApp: typeof real.machine.runApp = (...args) => {
        if (cuts++ > 0) return real.machine.runApp(...args);
        fake.putFile(PLACES.env, 'ETCD_NAME=et');
        node.disk.flush();
        node.powerOff();
        return new Promise(() => undefined);
      };
      return { ...real, machine: { ...real.machine, runApp } };
    };
    settingChanges(fake);
    fake.node.systemctl(['start', HEAL_UNIT]);
    fake.putFile(PLACES.request, JSON.stringify({ by: 'operator', atMs: fake.clock.nowMs }));
    fake.node.systemctl(['start', HEAL_UNIT]);
    fake.pass(60_000);
    assert.is(cuts, 1);
    fake.node.powerOn(false);
    fake.pass(100_000);
    const said: string[] = [];
    for (let minute = 0; minute < 3; minute++) {
      said.push(fake.run((each) => call(each, fake.settings)));
      fake.pass(60_000);
    }
    assert.is(fake.running, PLACES.unit, said.join('\n'));
    assert.not(fake.file(PLACES.journal), said.join('\n'));
    assert.not(fake.file(PLACES.originals));
  });

/** Calls the action each minute until the heal has ended. */
function untilHealed(fake: ThreeMembers): void {
  fake.pass(100_000);
  const said: string[] = [];
  for (let minute = 0; minute < 8; minute++) {
    said.push(fake.run((each) => healthAction(each, fake.settings, noLog)).message);
    fake.pass(60_000);
  }
  assert.is(fake.running, PLACES.unit, said.join('\n'));
  assert.not(fake.file(PLACES.journal), said.join('\n'));
  assert.match(fake.node.disk.text(PLACES.env) ?? '', /^ETCD_ADVERTISE_CLIENT_URLS=http:/m);
  assert.equal(fake.listed.find(({ name }) => name === 'etcd2')?.peerUrls, [OLD]);
}

test('a healer that was killed when its member was added by old URLs goes on by the new ones, on a node without a mark', () => {
  const fake = new ThreeMembers('WAL gone', {}, 3, true);
  fake.once(
    () => fake.listed.some(({ name }) => name === ''),
    () => {
      fake.node.systemctl(['kill', HEAL_UNIT]);
      fake.clock.after(1, () => {
        changesUrls(fake, undefined);
        return true;
      });
    },
  );
  fake.heal('health-action');
  untilHealed(fake);
});

test('fenced, cut off, and the others have other URLs since: the originals go back, and what is wrong shows anew', () => {
  const fake = new ThreeMembers('WAL damaged', {}, 3, true);
  fake.once(
    () => !fake.node.disk.has(PLACES.unitFile),
    () => fake.node.powerOff(),
  );
  fake.putFile(PLACES.request, JSON.stringify({ by: 'operator', atMs: fake.clock.nowMs }));
  fake.node.systemctl(['start', HEAL_UNIT]);
  fake.pass(10_000);
  changesUrls(fake, undefined);
  fake.pass(60_000);
  // confd renders it after the boot.
  renders(fake, {});
  fake.node.powerOn(false);
  untilHealed(fake);
});

test.run();
