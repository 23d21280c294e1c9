import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { healthAction } from '../../../src/act/health-action.ts';
import { stop } from '../../../src/act/start-stop.ts';
import { noLog } from '../../../src/report/log.ts';
import { HEAL_UNIT } from '../../../src/state/places.ts';
import { changesUrls } from '../../fake/app.ts';
import { PLACES } from '../../fake/observation.ts';
import { ROOT_FILE } from '../../fake/paths.ts';
import { ThreeMembers } from '../../fake/three-members.ts';
import {
  badOffers,
  type Certificates,
  certificatesOf,
  DNS,
  good,
  putCertificates,
  SECOND,
} from '../../fake/tls.ts';

const STALE = ['WAL gone', 'WAL damaged', 'volume lost'] as const;
const inTls = (broken: 'none' | (typeof STALE)[number] = 'WAL gone') => new ThreeMembers(broken, {}, 3, true);

/** What other nodes were asked for by scp. */
function copies(fake: ThreeMembers): string[] {
  const asked: string[] = [];
  const world = fake.world.bind(fake);
  fake.world = (node, proc) => {
    const real = world(node, proc);
    const copyFrom: typeof real.machine.copyFrom = (host, ...rest) => {
      asked.push(host);
      return real.machine.copyFrom(host, ...rest);
    };
    return { ...real, machine: { ...real.machine, copyFrom } };
  };
  return asked;
}

/** AppCenter calls the action each minute that the check fails, until all is well. Returns what it said. */
function actions(fake: ThreeMembers, minutes = 12): string {
  const said: string[] = [];
  for (let minute = 0; minute < minutes; minute++) {
    fake.pass(60_000);
    if (fake.healthy(fake.node) && !fake.file(PLACES.journal)) break;
    fake.spawn(fake.node, 'action', 60_000, async (world) => {
      said.push((await healthAction(world, fake.settings, noLog)).message);
    });
  }
  fake.pass(60_000);
  return said.map((each) => each.slice(0, 400)).join('\n');
}

function expectHealed(fake: ThreeMembers, where: string): void {
  assert.is(fake.running, PLACES.unit, `${where}: etcd runs on its own unit`);
  assert.ok(fake.healthy(fake.node), `${where}: it serves`);
  assert.equal(certificatesOf(fake.node), SECOND.certificates, `${where}: with the new certificates`);
  assert.is(fake.node.disk.text(PLACES.env), fake.node.envText, `${where}: and the new names`);
  const own = fake.listed.filter(({ name }) => name === 'etcd2');
  assert.equal(
    own.map(({ id, peerUrls }) => [id, peerUrls]),
    [[fake.node.data?.memberId, [fake.url(2, 2380)]]],
    `${where}: it is listed once, by its new URL`,
  );
  const left = fake
    .files()
    .map(([path]) => path)
    .filter((path) => /etcd1\.|originals|journal|^\/run\/heal-node/.test(path));
  assert.equal(left, [], `${where}: nothing is left`);
}

const moments = {
  'its unit is aside': ({ node }) => !node.disk.has(PLACES.unitFile),
  'its data are aside': ({ node }) => node.data === undefined && !node.disk.has(PLACES.unitFile),
  'all is staged': ({ node }) => node.disk.has(PLACES.copyEnv),
  'its old member is removed': ({ removed }) => removed.length > 0,
  'its new member is added': ({ listed }) => listed.some(({ name }) => name === ''),
  'it runs on the copy': ({ running }) => running === PLACES.copyUnit,
  'the new member serves': (fake) => fake.running === PLACES.copyUnit && fake.healthy(fake.node),
} as const satisfies Record<string, (fake: ThreeMembers) => boolean>;

for (const [when, holds] of Object.entries(moments))
  test(`the app gives its nodes other names, of a new authority, when ${when}: the heal brings the certificates`, () => {
    for (const broken of STALE) {
      const fake = inTls(broken);
      fake.once(
        () => holds(fake),
        () => changesUrls(fake, SECOND),
      );
      const ended = fake.heal('health-action');
      assert.is(fake.domain, SECOND, ended?.message);
      const said = actions(fake);
      expectHealed(fake, `${broken}, ${when}: ${ended?.message}\n${said}`);
    }
  });

/** confd has rendered other names, and no node has been given them yet. */
function renders(fake: ThreeMembers): void {
  fake.domain = SECOND;
  for (const node of fake.nodes) node.disk.set(PLACES.appEnv, { text: node.appView(), rights: ROOT_FILE });
}

/** A heal that is under way when confd renders other names: it stands for some minutes. */
function waits(minutes: number) {
  const fake = inTls();
  const asked = copies(fake);
  fake.once(
    () => fake.removed.length > 0,
    () => renders(fake),
  );
  fake.putFile(PLACES.request, JSON.stringify({ by: 'health-action', atMs: fake.clock.nowMs }));
  fake.node.systemctl(['start', HEAL_UNIT]);
  fake.pass(minutes * 60_000);
  assert.equal(asked, [], 'nobody is asked for certificates');
  assert.equal(certificatesOf(fake.node), good);
  assert.ok(fake.healthy(fake.node));
  return fake;
}

test('as long as the others answer by the old names the new member stays on its copy', () => {
  assert.is(waits(9).running, PLACES.copyUnit);
});

test('where the others do not come to have them, it goes back with the old names and certificates', () => {
  const fake = waits(11);
  assert.is(fake.running, PLACES.unit);
  assert.match(fake.node.disk.text(PLACES.env) ?? '', new RegExp(`https://etcd2${DNS}:2380`));
});

test('others that are late for a while have no other names: the heal waits on, and the member serves on', () => {
  const fake = waits(1);
  const [began, ends] = [fake.node.etcd, fake.outcome];
  const areLate = (late: boolean) => {
    for (const { etcd } of fake.others) if (etcd) etcd.hung = late;
  };
  for (const [lateMs, answersMs] of [
    [1500, 5000],
    [20_000, 30_000],
  ] as const) {
    areLate(true);
    fake.pass(lateMs);
    areLate(false);
    fake.pass(answersMs);
  }
  assert.is(fake.node.etcd, began);
  assert.is(fake.running, PLACES.copyUnit);
  assert.is(fake.outcome, ends);
});

test('who stops the app does not wait for names', () => {
  const fake = waits(1);
  const beganMs = fake.clock.nowMs;
  fake.run((world) => stop(world, fake.settings, noLog));
  assert.ok(fake.clock.nowMs - beganMs < 20_000, `${fake.clock.nowMs - beganMs} ms`);
});

test('a heal to which no names are given asks nobody for certificates', () => {
  const fake = inTls();
  const asked = copies(fake);
  assert.is(fake.heal('health-action')?.outcome, 'healed');
  assert.equal(asked, []);
});

test('where no heal is under way nothing is brought: what is wrong is for a person', () => {
  const fake = inTls('none');
  const asked = copies(fake);
  const { disk } = fake.node;
  changesUrls(fake, SECOND);
  fake.pass(60_000);
  putCertificates(fake.node, good);
  fake.node.systemctl(['restart', PLACES.unit]);
  const said = actions(fake, 5);
  assert.equal(asked, [], said);
  assert.equal(certificatesOf(fake.node), good);
  assert.ok(disk.has(PLACES.unitFile));
});

/** The heal has come to where it needs the new certificates, and what it did there. */
function atCertificates(offered?: Certificates) {
  const fake = inTls();
  fake.once(
    () => fake.removed.length > 0,
    () => {
      changesUrls(fake, SECOND);
      for (const other of fake.others) other.offers = offered;
    },
  );
  fake.heal('health-action');
  fake.pass(60_000);
  return fake;
}

for (const [how, [set]] of Object.entries({ 'the old ones': [good], ...badOffers } as const))
  test(`what the others offer is ${how}: nothing is put in place, and the old ones stay`, () => {
    const fake = atCertificates(set);
    const said = actions(fake, 3);
    assert.match(said, /no other node offers certificates that can be used/);
    assert.equal(certificatesOf(fake.node), good);
    for (const other of fake.others) other.offers = undefined;
    expectHealed(fake, `${said}\n${actions(fake)}`);
  });

test('nobody serves by the new ones: none are brought', () => {
  const fake = atCertificates();
  fake.othersOff();
  const asked = copies(fake);
  const said = actions(fake, 3);
  assert.equal(asked, [], said);
  assert.equal(certificatesOf(fake.node), good);
  fake.othersOn();
  expectHealed(fake, `${said}\n${actions(fake)}`);
});

const cuts = {
  'the healer was killed': ({ node }) => node.systemctl(['kill', HEAL_UNIT]),
  'the machine lost its power': ({ node }) => {
    node.powerOff();
    node.powerOn(false);
  },
  'the machine was migrated': ({ node }) => {
    node.powerOff();
    node.powerOn(true);
  },
} as const satisfies Record<string, (fake: ThreeMembers) => void>;

/** Strikes before or after the n-th effect of a healer once the others have the new names; `count` says how many there were. */
function atEffect(fake: ThreeMembers, nth: number, when: 'before' | 'after', strike: () => void) {
  let count = 0;
  fake.node.onEffect = (what, at) => {
    if (what !== HEAL_UNIT) return;
    if (at === 'before') count++;
    if (count !== nth || at !== when) return;
    fake.node.onEffect = () => undefined;
    strike();
  };
  return () => count;
}

for (const [i, [after, cut]] of Object.entries(cuts).entries())
  test(`cut off before and after every second effect under the new names: ${after}`, () => {
    const byPerson = after === 'the machine was migrated';
    const whole = atCertificates();
    const effects = atEffect(whole, 0, 'before', () => undefined);
    expectHealed(whole, actions(whole));
    assert.ok(effects() > 30, `${effects()} effects`);
    for (let nth = 1 + (i % 2); nth <= effects(); nth += 2)
      for (const when of ['before', 'after'] as const) {
        const fake = atCertificates();
        let struck = false;
        atEffect(fake, nth, when, () => {
          struck = true;
          cut(fake);
        });
        let said = actions(fake, byPerson ? 4 : 12);
        assert.ok(struck, `${after} ${when} effect ${nth}`);
        // The image has nothing of the swap, by which the app's names are known to be newer: as docs/runbook.md says it.
        if (byPerson && !fake.healthy(fake.node)) {
          putCertificates(fake.node, SECOND.certificates);
          fake.node.systemctl(['restart', PLACES.unit]);
          said += actions(fake, 2);
        }
        if (byPerson) fake.resume();
        const where = `${after} ${when} effect ${nth} of ${effects()}: ${said}`;
        expectHealed(fake, where);
      }
  });

test.run();
