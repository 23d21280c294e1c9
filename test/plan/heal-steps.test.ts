import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { effects } from '../../src/act/heal/effects.ts';
import type { Observation } from '../../src/observe/observation.ts';
import { expectedCluster } from '../../src/plan/expected-cluster.ts';
import { firstNotDone, healSteps, nothingLearned, type StepId } from '../../src/plan/heal-steps.ts';
import { plan } from '../../src/plan/plan.ts';
import {
  asked,
  BOOTSTRAPPED,
  certificatesGone,
  crashed,
  guardFacts as facts,
  failedUnit,
  healthy,
  holding,
  members,
  NO_DATA,
  silent,
  situation,
  unit,
} from '../fake/observation.ts';

const EMPTY = { ...NO_DATA, data: { ...NO_DATA.data, occupied: false } };
const SWAPPED: Observation['swap'] = {
  unitFile: 'none',
  copyUnitFile: 'file',
  copyEnv: false,
  copyDropIns: false,
  program: '/opt/etcd/current/etcd',
  originals: true,
  pointsAway: false,
  changedMs: undefined,
  staged: undefined,
};
const EXPECTED = 'etcd1=http://10.0.0.1:2380,etcd2=http://10.0.0.2:2380,etcd3=http://10.0.0.3:2380';
const STAGED: Observation['swap'] = {
  ...SWAPPED,
  copyEnv: true,
  copyDropIns: true,
  staged: { state: 'existing', initialCluster: EXPECTED, asOriginal: true },
};
const gone = {
  ok: true,
  value: unit({ load: 'not-found', active: 'inactive', mainPid: 0, exitPid: 0 }),
} as const;
const listed = (own: object) => members.map((m) => (m.name === 'etcd2' ? { ...m, ...own } : m));
const NEW = { id: 'abc', name: '', clientUrls: [] };
const JOINED = { id: 'abc' };
const seenAs = (list: typeof members, changes: Partial<Observation>): Observation =>
  crashed([], { unit: gone, others: [asked(1, { members: list }), asked(3, { members: list })], ...changes });
const joinedData = holding({ memberId: 'abc' });
const without = members.filter(({ name }) => name !== 'etcd2');

/** TLS has been switched on while the unit is aside: etcd.env has the old URLs, and the others answer by the new ones. */
const urlOf = (n: number): string => `https://etcd${n}.cl:2380`;
const newMembers = members.map((m, i) => ({ ...m, peerUrls: [urlOf(i + 1)] }));
const newListed = (own: object) => newMembers.map((m) => (m.name === 'etcd2' ? { ...m, ...own } : m));
if (!healthy.config.ok) throw new Error(healthy.config.why);
const before = healthy.config.value;
const newUrls: Pick<Observation, 'config'> = {
  config: {
    ok: true,
    value: {
      ...before,
      ofView: {},
      peerUrls: [urlOf(2)],
      otherPeerUrls: before.peerUrls,
      initialCluster: [],
    },
  },
};
const NEW_CLUSTER = [1, 2, 3].map((n) => `etcd${n}=${urlOf(n)}`).join(',');
const OLD_STAGED: Observation['swap'] = {
  ...STAGED,
  staged: { state: 'existing', initialCluster: NEW_CLUSTER, asOriginal: false },
};
const NEW_STAGED: Observation['swap'] = {
  ...STAGED,
  staged: { state: 'existing', initialCluster: NEW_CLUSTER, asOriginal: true },
};

/** How the world looks, and the step that comes next. */
const worlds: readonly (readonly [look: string, observed: Observation, next: string | undefined])[] = [
  ['stale, nothing done yet', crashed([BOOTSTRAPPED], { ...NO_DATA }), 'fence'],
  [
    'lost with all certificates, in TLS mode',
    crashed([], { ...NO_DATA, ...certificatesGone }),
    'certificates',
  ],
  [
    'the same, etcd without TLS yet',
    crashed([], { ...NO_DATA, ...certificatesGone, config: healthy.config }),
    'fence',
  ],
  [
    'in TLS mode, and the certificates are there',
    crashed([], { ...NO_DATA, ...certificatesGone, tls: undefined }),
    'fence',
  ],
  ['unit moved aside', seenAs(members, { ...NO_DATA, swap: SWAPPED }), 'set-aside'],
  [
    'unit moved aside by a person, who has saved no original',
    seenAs(members, { ...EMPTY, swap: { ...SWAPPED, originals: false } }),
    'fence',
  ],
  [
    'unit moved aside by a person in the very moment in which a fence did so: the copy is gone, the original is saved',
    seenAs(members, { ...NO_DATA, swap: { ...SWAPPED, copyUnitFile: 'none' } }),
    'set-aside',
  ],
  [
    'unit moved aside, and systemd has not noticed',
    seenAs(members, {
      ...EMPTY,
      swap: SWAPPED,
      unit: { ok: true, value: { ...gone.value, needsReload: true } },
    }),
    'fence',
  ],
  [
    'unit moved aside, and etcd is still being stopped',
    seenAs(members, {
      ...EMPTY,
      swap: SWAPPED,
      unit: { ok: true, value: { ...gone.value, active: 'deactivating' } },
    }),
    'fence',
  ],
  ['data set aside', seenAs(members, { ...EMPTY, swap: SWAPPED }), 'stage'],
  [
    'staged for a list that has changed since',
    seenAs([...members.slice(0, 2)], { ...EMPTY, swap: STAGED }),
    'stage',
  ],
  ['staged', seenAs(members, { ...EMPTY, swap: STAGED }), 'remove'],
  [
    'staged, and nobody says whom the cluster lists',
    seenAs(members, { ...EMPTY, swap: STAGED, others: [] }),
    'remove',
  ],
  ['the old ID removed', seenAs(without, { ...EMPTY, swap: STAGED }), 'add'],
  ['the new one added, and cut off', seenAs(listed(NEW), { ...EMPTY, swap: STAGED }), 'add'],
  [
    'all staged by old URLs, and the app has given its nodes others',
    seenAs(newMembers, { ...EMPTY, swap: OLD_STAGED, ...newUrls }),
    'stage',
  ],
  [
    'the same, and what was staged so runs',
    seenAs(newListed(JOINED), {
      ...joinedData,
      swap: OLD_STAGED,
      copyUnit: { ok: true, value: unit() },
      ...newUrls,
    }),
    'stage',
  ],
  [
    'staged by the new ones, and its old ID is listed by them',
    seenAs(newMembers, { ...EMPTY, swap: NEW_STAGED, ...newUrls }),
    'remove',
  ],
  [
    'staged by the new ones, and the new member, which has not started, is listed by the old ones',
    seenAs(newListed({ ...NEW, peerUrls: ['http://10.0.0.2:2380'] }), {
      ...EMPTY,
      swap: NEW_STAGED,
      ...newUrls,
    }),
    'remove',
  ],
  [
    'staged and listed by the new ones',
    seenAs(newListed(NEW), { ...EMPTY, swap: NEW_STAGED, ...newUrls }),
    'add',
  ],
  [
    'the new one added, and etcd on its way up',
    seenAs(listed(NEW), {
      ...EMPTY,
      swap: STAGED,
      copyUnit: { ok: true, value: unit({ active: 'activating' }) },
    }),
    'verify',
  ],
  [
    'started on the copy by a run that did not know what is wrong with its data, and dying of them',
    seenAs(members, {
      ...holding({ logShort: true }),
      swap: STAGED,
      copyUnit: {
        ok: true,
        value: { ...failedUnit(2), active: 'activating', sub: 'auto-restart', restarts: 3 },
      },
    }),
    'set-aside',
  ],
  ['joined, and the power was lost', seenAs(listed(JOINED), { ...joinedData, swap: STAGED }), 'start'],
  [
    'joined, and it runs on the copy',
    seenAs(listed(JOINED), { ...joinedData, swap: STAGED, copyUnit: { ok: true, value: unit() } }),
    'verify',
  ],
  [
    'the unit is back and the copy still runs',
    seenAs(listed(JOINED), {
      ...joinedData,
      swap: { ...STAGED, unitFile: 'file', copyUnitFile: 'none' },
      copyUnit: { ok: true, value: unit() },
    }),
    'restore',
  ],
  [
    'migrated after add: the old unit made up an old ID again',
    crashed(['the member has been permanently removed from the cluster'], {
      ...holding(),
      others: [asked(1, { members: listed(NEW) }), asked(3, { members: listed(NEW) })],
    }),
    'fence',
  ],
  [
    'fenced only, then a boot: the data are tried again before they are called bad',
    seenAs(members, { ...holding(), swap: SWAPPED }),
    'stage',
  ],
];

for (const [look, observed, next] of worlds) {
  test(`${look}: ${next}`, () => assert.is(firstNotDone(situation(observed), nothingLearned())?.id, next));
}

test('etcd starts once this run has seen that all who serve list the new member', () => {
  const added = situation(seenAs(listed(NEW), { ...EMPTY, swap: STAGED }));
  assert.is(firstNotDone(added, { ...nothingLearned(), listedByAll: true })?.id, 'start');
});

test('a new member that has died before it told its name may have voted: it does not come back without its data', () => {
  const emptied = situation(seenAs(listed(NEW), { ...EMPTY, swap: STAGED }));
  assert.is(firstNotDone(emptied, { ...nothingLearned(), staleMemberId: 'abc' })?.id, 'remove');
  assert.is(firstNotDone(emptied, nothingLearned())?.id, 'add', 'one that has never run is kept');
});

test('after verify a log that cannot be read, as it is being written, leads on and not back', () => {
  const torn = { ...healthy.data, kind: 'unknown', why: 'torn', memberId: '', clusterId: '' } as const;
  const runs = { data: torn, swap: STAGED, copyUnit: { ok: true, value: unit() } } as const;
  const seen = situation(seenAs(listed(JOINED), runs));
  assert.is(firstNotDone(seen, { ...nothingLearned(), verified: true })?.id, 'restore');
  assert.is(firstNotDone(seen, nothingLearned())?.id, 'remove', 'which would not be so without verify');
});

test('after verify a healthy member on its originals has nothing left to do', () => {
  assert.is(
    firstNotDone(situation(healthy), { ...nothingLearned(), verified: true, confirmed: true }),
    undefined,
  );
});

test('the steps stand in the order of the contract, and only remove, add, start, verify, restore and confirm have no undo', () => {
  const undone = ['certificates', 'fence', 'set-aside', 'stage'];
  const order = [...undone, 'remove', 'add', 'start', 'verify', 'restore', 'confirm'];
  assert.equal(
    healSteps.map(({ id }) => id),
    order,
  );
  assert.equal(
    healSteps.filter(({ reversible }) => reversible).map(({ id }) => id),
    undone,
  );
  assert.equal(
    order.filter((id) => effects[id as StepId].undo !== undefined),
    undone.filter((id) => id !== 'certificates'),
    'what is called reversible has an undo; the certificates may stay',
  );
  assert.equal(
    healSteps.map(({ runbookStep }) => runbookStep),
    [0, 1, 3, 3, 2, 2, 3, 4, 5, 6],
  );
});

test('the list to join is the members’ own, not the old file’s', () => {
  const renumbered = [
    ...listed(NEW),
    { id: 'd', name: 'etcd4', peerUrls: ['http://10.0.0.4:2380', 'http://10.1.0.4:2380'], clientUrls: [] },
  ];
  assert.is(
    expectedCluster(situation(seenAs(renumbered, {}))),
    'etcd1=http://10.0.0.1:2380,etcd2=http://10.0.0.2:2380,etcd3=http://10.0.0.3:2380,etcd4=http://10.0.0.4:2380,etcd4=http://10.1.0.4:2380',
  );
});

test('one that this heal has added, cut off before its data had come, is started where the others wait for its vote', () => {
  const begun = {
    ...holding({ memberId: 'abc', kind: 'founding', elected: false }),
    swap: STAGED,
    unit: gone,
  };
  const noQuorum = { serves: false, unavailableReason: 'no leader' };
  const world = (own: object) =>
    situation(
      crashed([], { ...begun, others: [asked(1, { ...noQuorum, members: listed(own) }), silent(3)] }),
    );
  const run = { ...nothingLearned(), newMemberId: 'abc' };
  assert.is(firstNotDone(world(NEW), run)?.id, 'start');
  assert.is(firstNotDone(world(NEW), nothingLearned())?.id, 'set-aside', 'whose it is nobody says');
  assert.is(firstNotDone(world(JOINED), run)?.id, 'set-aside', 'it has served');
});

test('a plan for a stale member lists all nine steps; for a healthy one none', () => {
  assert.is(plan(situation(crashed([BOOTSTRAPPED], { ...NO_DATA })), facts).steps.length, 9);
  assert.is(plan(situation(healthy), facts).steps.length, 0);
});

test("where there is no way back, the app's verbs are looked for right before", () => {
  const ask = healSteps.filter(
    ({ needs, reversible }) => (needs === 'all' || needs?.includes('app-quiet')) && !reversible,
  );
  assert.equal(
    ask.map(({ id }) => id),
    ['remove', 'add'],
  );
  for (const { id, looksBefore } of ask) assert.ok(looksBefore?.includes('units'), id);
});

test.run();
