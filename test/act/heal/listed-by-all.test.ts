import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runHealService } from '../../../src/act/heal-service.ts';
import type { Member, MemberReply } from '../../../src/cluster/cluster.ts';
import type { World } from '../../../src/observe/world.ts';
import { HEAL_UNIT } from '../../../src/state/places.ts';
import { nodeUrl } from '../../fake/network.ts';
import { PLACES } from '../../fake/observation.ts';
import { ThreeMembers } from '../../fake/three-members.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const LAGGARD = nodeUrl(3, 2379);

type Stalls = (reply: MemberReply) => MemberReply;
const lost: Stalls = () => {
  throw new Error('no answer');
};

/**
 * Member 3 has not applied the changes of the list yet: it shows the old one, so many times after the new member was
 * added. `started` holds how many of those were left when etcd was started on the copy.
 */
function withLaggard(
  fake: ThreeMembers,
  times: number,
  before: readonly Member[] = fake.listed,
  stalls: Stalls = lost,
) {
  const seen = { left: times, lost: 0, started: [] as number[] };
  const lag = (world: World): World => ({
    ...world,
    machine: {
      ...world.machine,
      systemctl: (words, limitMs) => {
        if (words[0] === 'start' && words.includes(PLACES.copyUnit)) seen.started.push(seen.left);
        return world.machine.systemctl(words, limitMs);
      },
    },
    cluster: (tls) => {
      const real = world.cluster(tls);
      return {
        ...real,
        ask: async (endpoint) => {
          const reply = await real.ask(endpoint);
          const added = fake.listed.some(({ name }) => name === '');
          if (endpoint === LAGGARD && added && seen.lost-- > 0) return stalls(reply);
          if (endpoint !== LAGGARD || !added || seen.left === 0) return reply;
          seen.left--;
          return { ...reply, members: before };
        },
      };
    },
  });
  return { seen, lag };
}

function heal(fake: ThreeMembers, lag: (world: World) => World) {
  fake.putFile(PLACES.request, JSON.stringify({ by: 'operator', atMs: fake.clock.nowMs }));
  return fake.run((world) => runHealService(lag(world), fake.settings, silent));
}

test('etcd is started when the last of those that serve lists the new member', () => {
  const fake = new ThreeMembers('WAL gone');
  const { seen, lag } = withLaggard(fake, 7);
  const outcome = heal(fake, lag);
  assert.is(outcome.outcome, 'healed', outcome.message);
  assert.equal(seen.started, [0]);
});

test('a reply that is lost on the way, or a read that stalls, is no silence', () => {
  const stalled: Stalls = (reply) => ({ ...reply, serves: false, unavailableReason: 'no answer in time' });
  for (const stalls of [lost, stalled]) {
    const fake = new ThreeMembers('WAL gone');
    const { seen, lag } = withLaggard(fake, 7, fake.listed, stalls);
    seen.lost = 1;
    const outcome = heal(fake, lag);
    assert.is(outcome.outcome, 'healed', outcome.message);
    assert.equal(seen.started, [0]);
  }
});

const TURN = 'heal-node/joiner';

/** The new member is added, and its healer has died before it was started, so long ago. */
function cutOffAfterAdd(agoMs = 60_000): ThreeMembers {
  const fake = new ThreeMembers('WAL gone');
  fake.once(
    () => fake.listed.some(({ name }) => name === ''),
    () => fake.node.systemctl(['stop', HEAL_UNIT]),
  );
  fake.putFile(PLACES.request, JSON.stringify({ by: 'operator', atMs: fake.clock.nowMs }));
  fake.node.systemctl(['start', HEAL_UNIT]);
  fake.pass(agoMs);
  assert.ok(
    fake.listed.some(({ name }) => name === ''),
    'it is added and has not started',
  );
  return fake;
}

test('so too when a heal was cut off after the new member was added', () => {
  const fake = cutOffAfterAdd();
  const before = fake.listed.map((member) =>
    member.name === '' ? { ...member, id: fake.oldId, name: fake.node.name } : member,
  );
  const { seen, lag } = withLaggard(fake, 7, before);
  const outcome = heal(fake, lag);
  assert.is(outcome.outcome, 'healed', outcome.message);
  assert.equal(seen.started, [0]);
});

test('one that is added already does not wait for another, who has its turn and waits for this one', () => {
  const fake = cutOffAfterAdd();
  fake.dropKey(TURN);
  fake.putKey(TURN, 'etcd9');
  const outcome = heal(fake, (world) => world);
  assert.is(outcome.outcome, 'healed', outcome.message);
  assert.is(fake.key(TURN)?.value, 'etcd9');
});

test('it has the turn while it joins, its own of before or one that is free, and gives it back', () => {
  for (const isFree of [false, true]) {
    const fake = cutOffAfterAdd(30_000);
    if (isFree) fake.dropKey(TURN);
    else assert.is(fake.key(TURN)?.value, 'etcd2');
    let held: string | undefined;
    fake.once(
      () => fake.listed.every(({ name }) => name !== ''),
      () => {
        held = fake.key(TURN)?.value;
      },
    );
    const outcome = heal(fake, (world) => world);
    assert.is(outcome.outcome, 'healed', outcome.message);
    assert.is(held, 'etcd2');
    assert.is(fake.key(TURN), undefined);
  }
});

test('one that serves and never lists it keeps etcd from being started, and is named', () => {
  const fake = new ThreeMembers('WAL gone');
  const { seen, lag } = withLaggard(fake, 1e9);
  const outcome = heal(fake, lag);
  assert.is(outcome.outcome, 'failed');
  assert.match(outcome.message, new RegExp(`not every member that serves lists it: ${LAGGARD} lists`));
  assert.equal(seen.started, []);
});

test.run();
