import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runHealService } from '../../../src/act/heal-service.ts';
import { claim } from '../../../src/cluster/claim.ts';
import { ClusterError, type Member } from '../../../src/cluster/cluster.ts';
import type { World } from '../../../src/observe/world.ts';
import { HEAL_UNIT } from '../../../src/state/places.ts';
import { nodeUrl } from '../../fake/network.ts';
import { PLACES } from '../../fake/observation.ts';
import { journalOf } from '../../fake/switching.ts';
import { ThreeMembers } from '../../fake/three-members.ts';

const TURN = 'heal-node/joiner';
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const added = (fake: ThreeMembers): boolean => fake.listed.some(({ name }) => name === '');

test('the new member is added within a turn, which is given back when it serves', () => {
  const fake = new ThreeMembers('WAL gone');
  let heldMeanwhile: string | undefined;
  fake.once(
    () => added(fake),
    () => {
      heldMeanwhile = fake.key(TURN)?.value;
    },
  );
  assert.is(fake.heal('operator')?.outcome, 'healed');
  assert.is(heldMeanwhile, 'etcd2');
  assert.is(fake.key(TURN), undefined, 'the next one need not wait for it to run out');
});

test('while another has the turn nobody is added', () => {
  const fake = new ThreeMembers('WAL gone');
  fake.putKey(TURN, 'etcd3');
  const ended = fake.heal('operator');
  assert.is(ended?.outcome, 'failed');
  assert.match(ended?.message ?? '', /waits for its turn to add a member: etcd3 has it/);
  assert.not(added(fake));
  fake.resume();
  const steps = journalOf(fake)?.steps.map(({ id }) => id) ?? [];
  assert.is(steps.filter((id) => id === 'add').length, 1, 'one that is asked again stays one entry');
  fake.dropKey(TURN);
  assert.is(fake.resume()?.outcome, 'healed');
});

test('whoever waits for its turn goes on when somebody has added it meanwhile', () => {
  const fake = new ThreeMembers('WAL gone');
  fake.putKey(TURN, 'etcd3');
  fake.once(
    () => fake.listed.length === 2,
    () => fake.raft.addMember(fake.served, 'beef', [nodeUrl(2, 2380)]),
  );
  const ended = fake.heal('operator');
  assert.is(ended?.outcome, 'healed', ended?.message);
  assert.equal(
    fake.listed.filter(({ name }) => name === 'etcd2').map(({ id }) => id),
    ['beef'],
  );
  assert.is(fake.key(TURN)?.value, 'etcd3', "another's turn is left alone");
});

test('a turn whose asking may have been lost is asked for again; a cluster that refuses it for good is not waited for', () => {
  for (const [refusal, transient, turns] of [
    ['context deadline exceeded', true, 'etcd2'],
    ['etcdserver: mvcc: database space exceeded', false, undefined],
  ] as const) {
    const fake = new ThreeMembers('WAL gone');
    const real = fake.world.bind(fake);
    let refused = 0;
    fake.world = (node, proc): World => {
      const world = real(node, proc);
      return {
        ...world,
        cluster: (tls) => {
          const cluster = world.cluster(tls);
          return {
            ...cluster,
            get: async (endpoints, key) => {
              if (key === TURN && (!transient || refused < 3)) {
                refused++;
                throw new ClusterError(refusal, transient);
              }
              return cluster.get(endpoints, key);
            },
          };
        },
      };
    };
    let held: string | undefined;
    fake.once(
      () => added(fake),
      () => {
        held = fake.key(TURN)?.value;
      },
    );
    assert.is(fake.heal('operator')?.outcome, 'healed', refusal);
    assert.is(held, turns, refusal);
    assert.is(refused, transient ? 3 : 1);
  }
});

test('a turn that could not be kept while adding was refused is taken anew, and nobody is added where another has it', () => {
  for (const other of [undefined, 'etcd3']) {
    const fake = new ThreeMembers('WAL gone');
    const real = fake.world.bind(fake);
    let beganMs: number | undefined;
    fake.world = (node, proc): World => {
      const world = real(node, proc);
      const cluster: World['cluster'] = (tls) => ({
        ...world.cluster(tls),
        keepAlive: async () => {
          throw new ClusterError('context deadline exceeded', true);
        },
        addMember: async (...words) => {
          beganMs ??= fake.clock.nowMs;
          if (fake.clock.nowMs - beganMs < 45_000)
            throw new ClusterError('etcdserver: unhealthy cluster', true);
          return world.cluster(tls).addMember(...words);
        },
      });
      return { ...world, cluster };
    };
    fake.once(
      () => beganMs !== undefined && fake.clock.nowMs - beganMs > 20_000,
      () => {
        fake.dropKey(TURN);
        if (other) fake.putKey(TURN, other);
      },
    );
    const ended = fake.heal('operator');
    if (other) assert.match(ended?.message ?? '', /waits for its turn to add a member: etcd3 has it/);
    assert.is(ended?.outcome, other ? 'failed' : 'healed', ended?.message);
    assert.is(fake.listed.length, other ? 2 : 3);
  }
});

/** The healer is stopped when it has removed the old ID; then the list changes, and the heal goes on. */
function meanwhile(change: (fake: ThreeMembers) => void) {
  const fake = new ThreeMembers('WAL gone');
  // etcd itself would refuse.
  fake.raft.lax = true;
  fake.once(
    () => fake.listed.length === 2,
    () => fake.node.systemctl(['stop', HEAL_UNIT]),
  );
  fake.putFile(PLACES.request, JSON.stringify({ by: 'operator', atMs: fake.clock.nowMs }));
  fake.node.systemctl(['start', HEAL_UNIT]);
  fake.pass(60_000);
  assert.is(fake.listed.length, 2);
  change(fake);
  return { fake, ended: fake.resume() };
}

test('a member is not added beside one that has not started, whatever etcd would take', () => {
  const { fake, ended } = meanwhile(({ raft, served }) => raft.addMember(served, 'beef', [nodeUrl(9, 2380)]));
  assert.is(ended?.outcome, 'failed');
  assert.match(ended?.message ?? '', /waits for not started beef \(http:\/\/10\.0\.0\.9:2380\)/);
  assert.is(fake.listed.filter(({ name }) => name === '').length, 1);
});

test('nor beside one that has a name and does not serve: it may still be receiving its data', () => {
  const third = { id: 'cafe', name: 'etcd9', peerUrls: [nodeUrl(9, 2380)], clientUrls: [nodeUrl(9, 2379)] };
  const { fake, ended } = meanwhile(({ raft, served }) =>
    raft.propose(served, (is) => ({ ...is, members: [...is.members, third] })),
  );
  assert.is(ended?.outcome, 'failed', ended?.message);
  assert.match(ended?.message ?? '', /waits for etcd9 cafe \(http:\/\/10\.0\.0\.9:2380\)/);
  assert.not(added(fake));
});

test('but to a list of one anybody is added: after the repair of the app the others come back so', () => {
  const { fake, ended } = meanwhile(({ raft, served, others }) => {
    // The one that leads: it has the entry that makes it alone, and goes on.
    const source = others.find(({ etcd }) => etcd?.leads)?.etcd ?? served;
    raft.propose(source, (is) => ({
      ...is,
      members: is.members.filter(({ id }) => id === source.data.memberId),
    }));
  });
  const lists = fake.others.map(({ etcd }) => etcd?.applied.state.members ?? []);
  assert.ok(
    lists.some((list) => list.length === 2),
    ended?.message,
  );
});

test('nor is it waited for one that this node alone cannot reach, where no more have to serve than before', () => {
  const fake = new ThreeMembers('WAL gone', {}, 5);
  const talks = fake.network.talks.bind(fake.network);
  const cut = [fake.node, fake.nodes[3]];
  fake.network.talks = (a, b) => !(a !== b && cut.includes(a) && cut.includes(b)) && talks(a, b);
  const ended = fake.heal('operator');
  assert.is(ended?.outcome, 'healed', ended?.message);
  assert.is(fake.listed.length, 5);
});

/** Looks at the cluster on which `during` decides: nobody serves then, or the lists are those of before. */
function looksLike(
  fake: ThreeMembers,
  during: (asked: { readonly adds: number }) => boolean,
  reply:
    | { readonly serves: false; readonly unavailableReason: string }
    | { readonly members: readonly Member[] },
) {
  const asked = { adds: 0 };
  const lag = (world: World): World => ({
    ...world,
    cluster: (tls) => {
      const real = world.cluster(tls);
      return {
        ...real,
        addMember: (...words) => {
          // As after the restart of a voter.
          if (asked.adds++ === 0) throw new ClusterError('etcdserver: unhealthy cluster', true);
          return real.addMember(...words);
        },
        ask: async (endpoint) => ({ ...(await real.ask(endpoint)), ...(during(asked) ? reply : {}) }),
      };
    },
  });
  fake.putFile(PLACES.request, JSON.stringify({ by: 'operator', atMs: fake.clock.nowMs }));
  return fake.run((world) => runHealService(lag(world), fake.settings, silent));
}
const ELECTION = { serves: false, unavailableReason: 'etcdserver: no leader' } as const;

test('a look into an election is no reason to give up: before a try to add, and while another has the turn', () => {
  const adding = new ThreeMembers('WAL gone');
  let looks = 0;
  const added = looksLike(adding, ({ adds }) => adds === 1 && [3, 4].includes(++looks), ELECTION);
  assert.is(added.outcome, 'healed', added.message);

  const waiting = new ThreeMembers('WAL gone');
  waiting.putKey(TURN, 'etcd3');
  looks = 0;
  const waited = looksLike(waiting, () => waiting.listed.length === 2 && ++looks <= 2, ELECTION);
  assert.ok(looks > 2);
  assert.is(waited.outcome, 'failed');
  assert.match(waited.message, /waits for its turn to add a member: etcd3 has it/);
  assert.is(waiting.listed.length, 2, 'nobody goes on without its turn');
});

test('a list that lags, and shows the old ID, is not taken for one that shows a new one', () => {
  const fake = new ThreeMembers('WAL gone');
  const before = fake.listed;
  fake.putKey(TURN, 'etcd3');
  let looks = 0;
  const during = () => {
    const lags = fake.listed.length === 2 && ++looks <= 2;
    if (lags) fake.dropKey(TURN);
    return lags;
  };
  const ended = looksLike(fake, during, { members: before });
  assert.ok(looks > 2);
  assert.is(ended.outcome, 'healed', ended.message);
});

test('a heal that is to park goes on where the cluster is short of a member', () => {
  const fake = new ThreeMembers('WAL gone');
  fake.once(
    () => fake.listed.length === 2,
    () => {
      fake.node.mode = 'off';
    },
  );
  const ended = fake.heal('operator');
  assert.is(ended?.outcome, 'parked', ended?.message);
  assert.match(ended?.message ?? '', /parked before (restore|confirm)/);
  assert.is(fake.listed.length, 3);
  assert.not(added(fake));
  assert.is(fake.running, PLACES.copyUnit);
});

test('a claim is whose it was first, also where both ask at once', () => {
  const fake = new ThreeMembers('none');
  const endpoints = [nodeUrl(1, 2379)];
  const [first, second] = fake.run((world) => {
    const cluster = world.cluster(undefined);
    return Promise.all(['a', 'b'].map((who) => claim(cluster, endpoints, 'key', who, 60)));
  });
  assert.is(first?.value, second?.value);
  assert.is(fake.key('key')?.value, first?.value);
  assert.is(
    fake.run((world) => claim(world.cluster(undefined), endpoints, 'key', 'c', 60)).value,
    first?.value,
  );
});

test('a node that is deleted while it waits to be added is not added any more', () => {
  const fake = new ThreeMembers('WAL gone', {}, 4);
  const [other] = fake.others;
  assert.ok(other);
  fake.once(
    () => fake.removed.length > 0,
    () => fake.network.cable(other, false),
  );
  fake.once(
    () => journalOf(fake)?.steps.at(-1)?.id === 'add',
    () => {
      fake.putFile(PLACES.appEnv, fake.node.appView({ IS_DELETED: 'true' }));
      fake.network.cable(other, true);
    },
  );
  const ended = fake.heal('operator');
  assert.is(ended?.outcome, 'failed');
  assert.match(ended?.message ?? '', /this node is being deleted \(IS_DELETED=true\)/);
  assert.is(fake.listed.length, 3);
});

test.run();
