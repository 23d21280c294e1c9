/** The app switches TLS, or gives its nodes other names, at the worst moments of a heal. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { healthAction } from '../../../src/act/health-action.ts';
import { start, stop } from '../../../src/act/start-stop.ts';
import type { World } from '../../../src/observe/world.ts';
import { noLog } from '../../../src/report/log.ts';
import { HEAL_UNIT } from '../../../src/state/places.ts';
import { changesUrls } from '../../fake/app.ts';
import { PLACES } from '../../fake/observation.ts';
import { ROOT_FILE } from '../../fake/paths.ts';
import { ThreeMembers } from '../../fake/three-members.ts';
import { certificatesOf, FIRST, putCertificates, SECOND } from '../../fake/tls.ts';

const domains = { off: undefined, first: FIRST, second: SECOND } as const;
type Urls = keyof typeof domains;

function make(broken: 'none' | 'WAL gone', from: Urls): ThreeMembers {
  const fake = new ThreeMembers(broken, {}, 3, from !== 'off');
  // confd renders the view of a node that was off when it comes up.
  for (const node of fake.nodes) {
    const powerOn = node.powerOn.bind(node);
    node.powerOn = (migrated) => {
      node.disk.set(PLACES.appEnv, { text: node.appView(), rights: ROOT_FILE });
      powerOn(migrated);
    };
  }
  return fake;
}

/** AppCenter calls the action each minute until all is well. Returns what it said last. */
function actions(fake: ThreeMembers, minutes: number): string {
  let said = '';
  for (let minute = 0; minute < minutes; minute++) {
    fake.pass(60_000);
    if (fake.healthy(fake.node) && !fake.file(PLACES.journal)) break;
    fake.spawn(fake.node, 'action', 60_000, async (world) => {
      said = (await healthAction(world, fake.settings, noLog)).message;
    });
  }
  fake.pass(60_000);
  return said;
}

/** What is not as it should be at the end. */
function wrong(fake: ThreeMembers): string[] {
  const { node } = fake;
  const own = fake.listed.filter(({ name }) => name === 'etcd2');
  const isListed = own.length === 1 && own[0]?.id === node.data?.memberId;
  const left = fake.files().filter(([path]) => /etcd1\.|originals/.test(path));
  const certificates = JSON.stringify(certificatesOf(node));
  const asIs = {
    'it runs on another unit': fake.running === PLACES.unit,
    'it does not serve': fake.healthy(node),
    'it has other certificates': !fake.tls || certificates === JSON.stringify(fake.domain.certificates),
    'its etcd.env is old': node.disk.text(PLACES.env) === node.envText,
    'it is not listed once': isListed && fake.listed.length === 3,
    'it is listed by another URL': own[0]?.peerUrls.join() === fake.url(2, 2380),
    'something is left': left.length === 0,
  };
  return Object.entries(asIs).flatMap(([what, isWell]) => (isWell ? [] : [what]));
}

/** The app changes the URLs right before the n-th effect of a heal; something else happens beside it. */
function changed(from: Urls, to: Urls, nth: number, beside: (fake: ThreeMembers) => void = () => undefined) {
  const fake = make('WAL gone', from);
  let effects = 0;
  fake.node.onEffect = (what, when) => {
    if (what !== HEAL_UNIT || when !== 'before' || ++effects !== nth) return;
    fake.node.onEffect = () => undefined;
    changesUrls(fake, domains[to]);
    beside(fake);
  };
  const ended = fake.heal('health-action');
  fake.pass(300_000);
  const said = actions(fake, 20);
  assert.ok(effects >= nth, `${effects} effects`);
  assert.equal(wrong(fake), [], `before effect ${nth}: ${ended?.message}\n${said}`);
}

/** How many effects a heal has that is left alone. */
function effectsOf(from: Urls): number {
  const fake = make('WAL gone', from);
  let effects = 0;
  fake.node.onEffect = (what, when) => {
    if (what === HEAL_UNIT && when === 'before') effects++;
  };
  assert.is(fake.heal('health-action')?.outcome, 'healed');
  return effects;
}

const fills = (fake: ThreeMembers): void => {
  const { capacity } = fake.node;
  capacity.data = 50e6;
  fake.clock.after(180_000, () => {
    capacity.data = 1e12;
    return true;
  });
};
const losesPower = ({ node, clock }: ThreeMembers): void => {
  node.powerOff();
  clock.after(1000, () => {
    node.powerOn(false);
    return true;
  });
};
const isStopped = (fake: ThreeMembers): void => {
  const calls: readonly (readonly [number, (world: World) => Promise<unknown>])[] = [
    [1500, (world) => stop(world, fake.settings, noLog)],
    [180_000, (world) => start(world, fake.settings, noLog)],
  ];
  for (const [inMs, call] of calls)
    fake.clock.after(inMs, () => {
      fake.spawn(fake.node, 'hook', 600_000, call);
      return true;
    });
};

/** Nothing but the names is missing then; and nobody is seen to serve before the others have the new URLs. */
const hasCertificates = (fake: ThreeMembers): void => {
  if (fake.tls) putCertificates(fake.node, fake.domain.certificates);
  fake.faults.lostReads = 1;
  fake.clock.after(20_000, () => {
    fake.faults.lostReads = 0;
    return true;
  });
};

const besides = {
  nothing: undefined,
  'its disk is full for a while': fills,
  'the app is stopped, and started later': isStopped,
  'its certificates are there at once': hasCertificates,
} as const;
const changes: readonly (readonly [Urls, Urls])[] = [
  ['off', 'first'],
  ['first', 'off'],
  ['first', 'second'],
];

for (const [from, to] of changes)
  for (const [i, [what, beside]] of Object.entries(besides).entries())
    test(`from ${from} to ${to} before effects of a heal; beside it: ${what}`, () => {
      // Together they come before each.
      const first = 1 + i;
      const count = effectsOf(from);
      assert.ok(count > 40, `${count} effects`);
      for (let nth = first; nth <= count; nth += Object.keys(besides).length) changed(from, to, nth, beside);
    });

for (const [from, to] of changes.slice(1))
  test(`from ${from} to ${to} when the original unit is back, and the power goes before etcd is started on it`, () => {
    const fake = make('WAL gone', from);
    fake.once(
      () => fake.file(PLACES.restored) !== undefined,
      () => {
        changesUrls(fake, domains[to]);
        losesPower(fake);
      },
    );
    fake.heal('health-action');
    fake.pass(300_000);
    const said = actions(fake, 20);
    assert.equal(wrong(fake), [], said);
  });

for (const offMs of [2000, 30_000])
  test(`a well node that was off for ${offMs} ms when TLS was switched off: as the app's own check, ours has it started anew`, () => {
    const fake = make('none', 'first');
    fake.node.powerOff();
    changesUrls(fake, undefined);
    fake.clock.after(offMs, () => {
      fake.node.powerOn(false);
      return true;
    });
    fake.pass(120_000);
    const said = actions(fake, 10);
    assert.equal(wrong(fake), [], said);
  });

test.run();
