/** The view has other URLs than the cluster goes by: what a heal must not do then, nor a person be refused. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { healthAction } from '../../../src/act/health-action.ts';
import { restoreByHand } from '../../../src/act/restore-by-hand.ts';
import { ClusterError, type Member } from '../../../src/cluster/cluster.ts';
import type { World } from '../../../src/observe/world.ts';
import { noLog } from '../../../src/report/log.ts';
import { HEAL_UNIT } from '../../../src/state/places.ts';
import { changesUrls, runVerb } from '../../fake/app.ts';
import type { FakeNode } from '../../fake/node.ts';
import { PLACES } from '../../fake/observation.ts';
import { ROOT_FILE } from '../../fake/paths.ts';
import {
  actions,
  before,
  begin,
  changes,
  domains,
  make,
  renders,
  stoppedAsTlsGoesOff,
  type Urls,
  wrong,
} from '../../fake/switching.ts';
import { ThreeMembers } from '../../fake/three-members.ts';
import { FIRST, putCertificates } from '../../fake/tls.ts';

for (const [from, to] of changes)
  for (const inHeal of [true, false])
    test(`the view goes from ${from} to ${to}, in the heal: ${inHeal}, and no other node follows: it stays with them`, () => {
      const fake = make('WAL gone', from);
      if (!inHeal) renders(fake, to);
      fake.once(
        () => inHeal && fake.removed.length > 0,
        () => renders(fake, to),
      );
      if (from === 'off') putCertificates(fake.node, FIRST.certificates);
      begin(fake);
      fake.pass(20 * 60_000);
      const said = actions(fake, 10);
      assert.is(fake.running, PLACES.unit, said);
      assert.ok(fake.healthy(fake.node), said);
      assert.is(fake.node.etcd?.speaksAs, fake.nodes[0]?.etcd?.speaksAs);
    });

for (const [from, to] of changes.slice(0, 2))
  test(`the view says ${to}, the others stay ${from}: one is off, the other is restarted, and is not taken for one that has switched`, () => {
    const fake = make('WAL gone', from);
    const [one, , three] = fake.nodes;
    renders(fake, to);
    if (from === 'off') putCertificates(fake.node, FIRST.certificates);
    begin(fake);
    fake.pass(60_000);
    three?.powerOff();
    fake.pass(60_000);
    assert.is(fake.running, PLACES.copyUnit);
    one?.systemctl(['stop', PLACES.unit]);
    fake.pass(2000);
    one?.systemctl(['start', PLACES.unit]);
    fake.pass(20_000);
    assert.ok(fake.healthy(fake.node), `${fake.outcome?.message}`);
  });

/** The app has all its nodes' views say so, and switches these alone. */
function switches(fake: ThreeMembers, to: Urls, some: readonly (FakeNode | undefined)[]): void {
  const domain = domains[to];
  renders(fake, to);
  fake.clock.after(1500, () => {
    if (domain) for (const node of fake.nodes) putCertificates(node, domain.certificates);
    return true;
  });
  for (const node of some) if (node) runVerb(node, 'change names');
}

for (const [from, to] of changes.slice(0, 2)) {
  test(`from ${from} to ${to} while the new member serves, and one other is off: it follows the third in the same heal`, () => {
    const fake = make('WAL gone', from);
    const [one, , three] = fake.nodes;
    fake.once(
      () => fake.running === PLACES.copyUnit && fake.healthy(fake.node),
      () => {
        three?.powerOff();
        switches(fake, to, [one]);
      },
    );
    begin(fake);
    fake.pass(5 * 60_000);
    assert.ok(fake.healthy(fake.node), `${fake.outcome?.message}`);
  });

  test(`of five two go from ${from} to ${to}, one does not, the etcd of one has ended: it goes with the two`, () => {
    const fake = new ThreeMembers('WAL gone', {}, 5, from !== 'off');
    const [one, , three, , five] = fake.nodes;
    fake.once(
      () => fake.running === PLACES.copyUnit && fake.healthy(fake.node),
      () => {
        switches(fake, to, [one, three]);
        fake.clock.after(3000, () => {
          five?.systemctl(['stop', PLACES.unit]);
          return true;
        });
      },
    );
    begin(fake);
    fake.pass(60_000);
    const said = actions(fake, 5);
    assert.ok(fake.healthy(fake.node), said);
  });
}

for (const [from, to] of changes)
  test(`the view goes from ${from} to ${to}, and has nodes that are being added, and no other node follows: the heal ends`, () => {
    const fake = make('WAL gone', from);
    fake.once(
      () => fake.removed.length > 0,
      () => {
        renders(fake, to);
        const text = fake.node.appView({ ADDED_NODES: '4=10.0.0.4' });
        fake.node.disk.set(PLACES.appEnv, { text, rights: ROOT_FILE });
      },
    );
    if (from === 'off') putCertificates(fake.node, FIRST.certificates);
    begin(fake);
    fake.pass(15 * 60_000);
    assert.is(fake.outcome?.outcome, 'healed', fake.outcome?.message);
  });

for (const [from, to] of changes.slice(0, 2)) {
  test(`from ${from} to ${to} as the unit goes back, and one that loses its power comes back by the old URLs: all go by the new`, () => {
    const fake = make('WAL gone', from);
    const [one] = fake.nodes;
    before(fake, 46, () => {
      changesUrls(fake, domains[to]);
      fake.clock.after(3000, () => {
        one?.powerOff();
        return true;
      });
      fake.clock.after(23_000, () => {
        one?.powerOn(false);
        return true;
      });
    });
    begin(fake);
    for (let minute = 0; minute < 20; minute++) {
      fake.pass(60_000);
      for (const node of fake.nodes)
        if (!fake.healthy(node) || (node === fake.node && fake.file(PLACES.journal)))
          fake.spawn(node, 'action', 60_000, (world) => healthAction(world, fake.settings, noLog));
    }
    assert.equal(wrong(fake), []);
    assert.not(fake.file(PLACES.journal));
  });

  test(`from ${from} to ${to} at the end of a heal: it is closed by the next action at the latest`, () => {
    for (let nth = 46; nth <= 53; nth++) {
      const fake = make('WAL gone', from);
      before(fake, nth, () => changesUrls(fake, domains[to]));
      const ended = fake.heal('health-action');
      if (nth === 46) assert.is(ended?.outcome, 'healed', ended?.message);
      const said = actions(fake, 5);
      assert.equal(wrong(fake), [], `before effect ${nth}: ${said}`);
      assert.not(fake.file(PLACES.journal), `before effect ${nth}: ${said}`);
    }
  });
}

test('a new member whose peer URLs a person changes in the middle of a switch is not taken for one that is out', () => {
  const fake = make('WAL gone', 'first');
  const called = (peerUrls: readonly string[]) => () => {
    fake.lists((all) =>
      all.map((each) => (each.name === 'etcd2' ? { ...each, peerUrls: [...peerUrls] } : each)),
    );
    return true;
  };
  fake.once(
    () => fake.running === PLACES.copyUnit && fake.healthy(fake.node),
    () => {
      changesUrls(fake, undefined);
      fake.clock.after(6000, called(['http://10.0.0.9:23805']));
      fake.clock.after(300_000, called(['http://10.0.0.2:2380']));
    },
  );
  begin(fake);
  fake.pass(20_000);
  const said = actions(fake, 20);
  assert.equal(fake.removed, [fake.oldId], said);
  assert.equal(wrong(fake), [], said);
});

/** A heal of member 2 with another member on the list. */
function healBeside(other: Member, size: number, view: Readonly<Record<string, string>> = {}) {
  const fake = new ThreeMembers('WAL gone', {}, size);
  const { node } = fake;
  fake.lists((all) => [...all, other]);
  node.disk.set(PLACES.appEnv, { text: node.appView(view), rights: ROOT_FILE });
  fake.heal('operator');
  return fake.removed;
}

for (const [what, other, view] of [
  ['on another port of its host', { peerUrls: ['http://10.0.0.2:12380'] }, {}],
  ['that is a learner', { peerUrls: ['http://etcd2.other:2380'], isLearner: true }, {}],
  ['of the node that its view is of by mistake', { peerUrls: ['http://10.0.0.4:2380'] }, { MY_SID: '4' }],
] as const)
  test(`a member without a name ${what} is none of its own, and stays`, () => {
    const member: Member = { id: 'beef', name: '', clientUrls: [], ...other };
    assert.not.ok(healBeside(member, 5, view).includes('beef'));
  });

test('a member whose addition had no answer, and takes effect a moment later, is not removed again', () => {
  const fake = new ThreeMembers('WAL gone');
  const real = fake.world.bind(fake);
  let adds = 0;
  fake.world = (node, proc): World => {
    const world = real(node, proc);
    if (node !== fake.node) return world;
    const cluster: typeof world.cluster = (tls) => {
      const calls = world.cluster(tls);
      const addMember: typeof calls.addMember = async (...words) => {
        if (adds++ > 0) return calls.addMember(...words);
        fake.clock.after(100, () => {
          calls.addMember(...words).catch(() => undefined);
          return true;
        });
        throw new ClusterError('etcdserver: request timed out', true);
      };
      return { ...calls, addMember };
    };
    return { ...world, cluster };
  };
  const ended = fake.heal('health-action');
  assert.ok(adds > 0);
  assert.is(ended?.outcome, 'healed', ended?.message);
  assert.is(fake.removed.length, 1);
});

test('restore by hand brings the unit back with HEAL_MODE=off, where nothing goes on', () => {
  const fake = stoppedAsTlsGoesOff();
  fake.node.mode = 'off';
  const { message } = fake.run((world) => restoreByHand(world, fake.settings, noLog));
  assert.is(fake.node.disk.kindOf(PLACES.unitFile), 'file', message);
});

test('restore by hand brings the data back where the removal was begun, and never taken', () => {
  const fake = new ThreeMembers('WAL damaged', {}, 3, true);
  fake.once(
    () => `${fake.node.disk.text(PLACES.journal)}`.includes('"id":"remove"') && fake.removed.length === 0,
    () => {
      changesUrls(fake, domains.off);
      fake.node.systemctl(['stop', HEAL_UNIT]);
      fake.node.systemctl(['kill', '--signal=SIGKILL', HEAL_UNIT]);
    },
  );
  begin(fake);
  fake.pass(60_000);
  assert.equal(fake.removed, []);
  assert.not(fake.node.data);
  const { message } = fake.run((world) => restoreByHand(world, fake.settings, noLog));
  assert.ok(fake.node.data, message);
});

test.run();
