import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Member, MemberReply } from '../../src/cluster/cluster.ts';
import { clusterView } from '../../src/diagnose/cluster-view.ts';
import type { Asked } from '../../src/observe/observation.ts';
import { healthy, reply } from '../fake/observation.ts';

const config = healthy.config.ok ? healthy.config.value : undefined;

/** Members m1, m2 … at 10.0.0.1, 10.0.0.2 …; this node is m2. */
const list = (count: number): Member[] =>
  Array.from({ length: count }, (_, at) => ({
    id: `m${at + 1}`,
    name: `etcd${at + 1}`,
    peerUrls: [`http://10.0.0.${at + 1}:2380`],
    clientUrls: [`http://10.0.0.${at + 1}:2379`],
  }));

/** Member n's answer, with that member list. */
const answers = (n: number, members: readonly Member[], changes: Partial<MemberReply> = {}): Asked => ({
  endpoint: `http://10.0.0.${n}:2379`,
  reply: { ok: true, value: reply(`m${n}`, { members, ...changes }) },
});
const silent = (n: number): Asked => ({
  endpoint: `http://10.0.0.${n}:2379`,
  reply: { ok: false, why: 'no answer' },
});
const THREE = list(3);
const FOUR = list(4);
const FIVE = list(5);
const learns = (n: number, members: readonly Member[]): Member[] =>
  members.map((member) => (member.id === `m${n}` ? { ...member, isLearner: true } : member));
const LEARNING = learns(3, THREE);
const SIX = learns(6, list(6));
const NOT_SERVING = { serves: false, unavailableReason: 'no leader' };

interface Expected {
  readonly serving: readonly string[];
  readonly silent: readonly string[];
  readonly quorum: number;
  readonly hasQuorum: boolean;
}

/** Worked out by hand: who serves, who does not, how many are a quorum, and whether those that serve are one. */
const views: readonly (readonly [look: string, others: readonly Asked[], expected: Expected])[] = [
  [
    'both others of three serve',
    [answers(1, THREE), answers(3, THREE)],
    { serving: ['m1', 'm3'], silent: [], quorum: 2, hasQuorum: true },
  ],
  [
    'one of them is silent',
    [answers(1, THREE), silent(3)],
    { serving: ['m1'], silent: ['no answer'], quorum: 2, hasQuorum: false },
  ],
  [
    'one of them answers, and does not serve',
    [answers(1, THREE), answers(3, THREE, NOT_SERVING)],
    { serving: ['m1'], silent: ['no leader'], quorum: 2, hasQuorum: false },
  ],
  [
    'one of them answers at two endpoints',
    [answers(1, THREE), { ...answers(1, THREE), endpoint: 'http://10.0.0.9:2379' }],
    { serving: ['m1'], silent: [], quorum: 2, hasQuorum: false },
  ],
  [
    'one that serves is not on the list',
    [answers(1, THREE), answers(9, THREE)],
    { serving: ['m1'], silent: [], quorum: 2, hasQuorum: false },
  ],
  [
    'two of four serve',
    [answers(1, FOUR), answers(3, FOUR), silent(4)],
    { serving: ['m1', 'm3'], silent: ['no answer'], quorum: 3, hasQuorum: false },
  ],
  [
    'three of four serve',
    [answers(1, FOUR), answers(3, FOUR), answers(4, FOUR)],
    { serving: ['m1', 'm3', 'm4'], silent: [], quorum: 3, hasQuorum: true },
  ],
  [
    'two of five serve',
    [answers(1, FIVE), answers(3, FIVE), silent(4), silent(5)],
    { serving: ['m1', 'm3'], silent: ['no answer', 'no answer'], quorum: 3, hasQuorum: false },
  ],
  [
    'three of five serve',
    [answers(1, FIVE), answers(3, FIVE), answers(4, FIVE), silent(5)],
    { serving: ['m1', 'm3', 'm4'], silent: ['no answer'], quorum: 3, hasQuorum: true },
  ],
  [
    'two serve, of two clusters',
    [answers(1, THREE), answers(3, THREE, { clusterId: 'other' })],
    { serving: ['m1', 'm3'], silent: [], quorum: 2, hasQuorum: false },
  ],
  [
    'two serve, with two lists',
    [answers(1, THREE), answers(3, FOUR)],
    { serving: ['m1', 'm3'], silent: [], quorum: 2, hasQuorum: false },
  ],
  [
    'one of them is a learner, which has no vote',
    [answers(1, LEARNING), answers(3, LEARNING)],
    { serving: ['m1'], silent: [], quorum: 2, hasQuorum: false },
  ],
  [
    'three of five serve beside a learner',
    [answers(1, SIX), answers(3, SIX), answers(4, SIX), answers(6, SIX)],
    { serving: ['m1', 'm3', 'm4'], silent: [], quorum: 3, hasQuorum: true },
  ],
  [
    "one of them serves as this node's own member",
    [answers(1, THREE), { ...answers(2, THREE), endpoint: 'http://10.0.0.9:2379' }],
    { serving: ['m1'], silent: [], quorum: 2, hasQuorum: false },
  ],
  [
    'two serve, with one list in another order',
    [answers(1, THREE), answers(3, THREE.toReversed())],
    { serving: ['m1', 'm3'], silent: [], quorum: 2, hasQuorum: true },
  ],
];

for (const [look, others, expected] of views) {
  test(look, () => {
    const view = clusterView(config, others, undefined);
    assert.equal(
      {
        serving: view.serving.map(({ reply: { memberId } }) => memberId),
        silent: view.silent.map(({ why }) => why),
        quorum: view.quorum,
        hasQuorum: view.hasQuorumWithoutSelf,
      },
      expected,
    );
    assert.is(view.own?.id, 'm2');
  });
}

test('nobody answers: nothing is known of the cluster, and there is no quorum', () => {
  const view = clusterView(config, [silent(1), silent(3)], undefined);
  assert.is(view.hasQuorumWithoutSelf, false);
  assert.is(view.clusterId, '');
  assert.equal(view.members, []);
  assert.is(view.own, undefined);
});

test('a disagreement says who says what', () => {
  const of = (others: readonly Asked[]) => clusterView(config, others, undefined).disagreement;
  assert.is(of([answers(1, THREE), answers(3, THREE)]), undefined);
  const lists = of([answers(1, THREE), answers(3, FOUR)]) ?? '';
  assert.match(
    lists,
    /^http:\/\/10\.0\.0\.1:2379 says .*m3=http:\/\/10\.0\.0\.3:2380; http:\/\/10\.0\.0\.3:2379 says/,
  );
  assert.match(lists, /m4=http:\/\/10\.0\.0\.4:2380$/);
  assert.match(
    of([answers(1, THREE), answers(3, THREE, { clusterId: 'other' })]) ?? '',
    /says cluster other/,
  );
});

test('the list that a call of ours has returned is newer than what the others have said', () => {
  const without = THREE.filter(({ id }) => id !== 'm2');
  const view = clusterView(config, [answers(1, THREE), answers(3, THREE)], without);
  assert.is(view.own, undefined);
  assert.equal(view.members, without);
  assert.is(view.quorum, 2);
});

test("this node's entry is found by its peer URL alone, however that is written", () => {
  const renamed = THREE.map((member) =>
    member.id === 'm2' ? { ...member, name: 'etcd9', peerUrls: ['http://10.0.0.2:2380/'] } : member,
  );
  assert.is(clusterView(config, [answers(1, renamed)], undefined).own?.id, 'm2');
  const moved = THREE.map((member) =>
    member.id === 'm2' ? { ...member, peerUrls: ['http://10.0.0.9:2380'] } : member,
  );
  assert.is(clusterView(config, [answers(1, moved)], undefined).own, undefined);
});

test('who serves as this member elsewhere, and a member of its name at another address, are named', () => {
  const elsewhere = { ...answers(2, THREE), endpoint: 'http://10.0.0.9:2379' };
  assert.is(clusterView(config, [answers(1, THREE), elsewhere], undefined).ownServedBy, elsewhere.endpoint);
  assert.is(clusterView(config, [answers(1, THREE)], undefined).ownServedBy, undefined);
  const moved = THREE.map((member) =>
    member.id === 'm2' ? { ...member, peerUrls: ['http://10.0.0.9:2380'] } : member,
  );
  assert.is(clusterView(config, [answers(1, moved)], undefined).renamed?.id, 'm2');
  assert.is(clusterView(config, [answers(1, THREE)], undefined).renamed, undefined);
});

test('a member that serves at its own address is not this one under a new address, whatever its name is', () => {
  // A copy of its data has run here for a moment, and has put this node's name on it.
  const copied = (n: number) =>
    FOUR.filter(({ id }) => id !== 'm2').map((member) =>
      member.id === `m${n}` ? { ...member, name: 'etcd2' } : member,
    );
  const renamed = (n: number, other: Asked) =>
    clusterView(config, [answers(1, copied(n)), other], undefined).renamed?.id;
  assert.is(renamed(4, answers(4, copied(4))), undefined);
  assert.is(renamed(4, silent(4)), 'm4');
  // Nor is one whose address the settings name for another node.
  assert.is(renamed(3, silent(3)), undefined);
});

test('where nobody serves, the lists of those that answer are known, and decide nothing else', () => {
  const view = clusterView(config, [answers(1, THREE, NOT_SERVING), silent(3)], undefined);
  assert.equal(view.known, THREE);
  assert.equal([view.members, view.own, view.clusterId], [[], undefined, '']);
  const others = [answers(1, FOUR, NOT_SERVING), answers(3, THREE)];
  assert.equal(clusterView(config, others, undefined).known, THREE, 'who serves knows better');
});

test('an alarm that several know of is one alarm', () => {
  const alarms = [{ memberId: 'm3', alarm: 'NOSPACE' }];
  const more = [...alarms, { memberId: 'm1', alarm: 'CORRUPT' }];
  assert.equal(
    clusterView(config, [answers(1, THREE, { alarms }), answers(3, THREE, { alarms: more })], undefined)
      .alarms,
    more,
  );
});

test.run();
