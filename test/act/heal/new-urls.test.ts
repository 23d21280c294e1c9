import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { situationOf } from '../../../src/diagnose/situation.ts';
import { observe } from '../../../src/observe/observe.ts';
import { PLACES } from '../../fake/observation.ts';
import { ROOT_FILE } from '../../fake/paths.ts';
import { ThreeMembers } from '../../fake/three-members.ts';
import { DNS } from '../../fake/tls.ts';

const TLS = { ETCD_ENABLE_TLS: 'true', ETCD_CLUSTER_DNS: DNS };
const OLD = 'http://10.0.0.2:2380';
const NEW = `https://etcd2${DNS}:2380`;

/** confd renders the app's view of member 2 anew. */
function renders({ node }: ThreeMembers, changes: Readonly<Record<string, string>>): void {
  node.disk.set(PLACES.appEnv, { text: node.appView(changes), rights: ROOT_FILE });
}

/** The app's commands that heal-node runs on member 2. */
function appRuns(fake: ThreeMembers): string[] {
  const ran: string[] = [];
  const world = fake.world.bind(fake);
  fake.world = (node, proc) => {
    const real = world(node, proc);
    const runApp: typeof real.machine.runApp = (argv, limitMs) => {
      ran.push(argv.join(' '));
      return real.machine.runApp(argv, limitMs);
    };
    return { ...real, machine: { ...real.machine, runApp } };
  };
  return ran;
}

/** What files say of member 2, where its unit is aside or not, and the others answer by the URLs of etcd.env or do not. */
function looked(changes: Readonly<Record<string, string>>, aside: boolean, answers: boolean) {
  const fake = new ThreeMembers('none');
  renders(fake, changes);
  if (aside) fake.putFile(PLACES.copyUnitFile, '');
  return fake.run(async (world) => {
    const health = async () =>
      answers ? ({ state: 'true' } as const) : ({ state: 'none', why: '' } as const);
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

test('as long as the others answer by the old URLs, these count, and its entry is found by both', () => {
  const client = 'http://10.0.0.2:2379';
  assert.equal(looked(TLS, true, true), { peerUrls: [OLD], other: [NEW], client, hasNewUrls: false });
});

test('nothing else counts than etcd.env where the unit is in place, or the view says the same', () => {
  const client = 'http://10.0.0.2:2379';
  const asWritten = { peerUrls: [OLD], other: [], client, hasNewUrls: false };
  assert.equal(looked(TLS, false, false), asWritten);
  assert.equal(looked({}, true, false), asWritten);
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

test("what confd has changed during a heal comes into etcd.env by the app's start, where the unit is back", () => {
  const fake = new ThreeMembers('WAL damaged');
  const ran = appRuns(fake);
  fake.once(
    () => fake.removed.length > 0,
    () => renders(fake, { ETCD_QUOTA_BYTES: '2147483649' }),
  );
  const ended = fake.heal('health-action');
  assert.is(ended?.outcome, 'healed', ended?.message);
  assert.equal(ran, ['/opt/app/bin/ctl.sh start']);
  assert.is(fake.running, PLACES.unit);
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

test.run();
