/** The app switches TLS, or gives its nodes other names, at the worst moments of a heal. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { healthAction } from '../../../src/act/health-action.ts';
import { restoreByHand } from '../../../src/act/restore-by-hand.ts';
import { start, stop } from '../../../src/act/start-stop.ts';
import type { World } from '../../../src/observe/world.ts';
import { noLog } from '../../../src/report/log.ts';
import { history } from '../../../src/state/heal-record.ts';
import { HEAL_UNIT } from '../../../src/state/places.ts';
import { changesUrls } from '../../fake/app.ts';
import { PLACES } from '../../fake/observation.ts';
import { ROOT_FILE } from '../../fake/paths.ts';
import {
  actions,
  backOn,
  before,
  changes,
  domains,
  journalOf,
  make,
  newMember,
  renders,
  stoppedAsTlsGoesOff,
  type Urls,
  wrong,
} from '../../fake/switching.ts';
import { ThreeMembers } from '../../fake/three-members.ts';
import { FIRST, putCertificates, SECOND } from '../../fake/tls.ts';

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

/** TLS goes off again, or on: in the same heal, which lasts longer than the app needs for the first change. */
const changeAgain = (fake: ThreeMembers): void => {
  fake.clock.after(30_000, () => {
    changesUrls(fake, domains[fake.tls ? 'off' : 'first']);
    return true;
  });
};

const besides = {
  nothing: undefined,
  'its disk is full for a while': fills,
  'the app is stopped, and started later': isStopped,
  'its certificates are there at once': hasCertificates,
  'they change again': changeAgain,
} as const;

for (const [from, to] of changes)
  for (const [i, [what, beside]] of Object.entries(besides).entries())
    test(`from ${from} to ${to} before effects of a heal; beside it: ${what}`, () => {
      // Together they come before every second.
      const first = 1 + 2 * i;
      const count = effectsOf(from);
      assert.ok(count > 40, `${count} effects`);
      for (let nth = first; nth <= count; nth += 2 * Object.keys(besides).length)
        changed(from, to, nth, beside);
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

for (const nth of [48, 49])
  test(`a healer that is killed in restore when the unit is back, while the app's update writes etcd.env (${nth})`, () => {
    const fake = make('WAL gone', 'first');
    let effects = 0;
    fake.node.onEffect = (what, when) => {
      if (what !== HEAL_UNIT || when !== 'before' || ++effects !== nth) return;
      fake.node.onEffect = () => undefined;
      changesUrls(fake, domains.second);
      fake.clock.after(1, () => {
        fake.node.systemctl(['kill', HEAL_UNIT]);
        return true;
      });
    };
    fake.heal('health-action');
    fake.pass(300_000);
    const said = actions(fake, 30);
    assert.equal(wrong(fake), [], said);
  });

test("the app's start, run by restore, cannot write etcd.env, as the root disk is full for three minutes", () => {
  const fake = make('WAL gone', 'first');
  const real = fake.world.bind(fake);
  let runs = 0;
  fake.world = (node, proc): World => {
    const world = real(node, proc);
    const runApp: typeof world.machine.runApp = (...words) => {
      if (node === fake.node && runs++ === 0) {
        node.ailing.root = 'full';
        fake.clock.after(180_000, () => {
          node.ailing.root = 'no';
          return true;
        });
      }
      return world.machine.runApp(...words);
    };
    return { ...world, machine: { ...world.machine, runApp } };
  };
  fake.once(
    () => fake.removed.length > 0,
    () => changesUrls(fake, domains.second),
  );
  fake.heal('health-action');
  fake.pass(300_000);
  const said = actions(fake, 15);
  assert.ok(runs > 0);
  assert.equal(wrong(fake), [], said);
});

test('one of the others serves by the old names, the third is off: the heal ends, and a boot finds a node that starts', () => {
  const fake = make('WAL gone', 'first');
  fake.once(
    () => fake.removed.length > 0,
    () => renders(fake, 'second'),
  );
  fake.putFile(PLACES.request, JSON.stringify({ by: 'health-action', atMs: fake.clock.nowMs }));
  fake.node.systemctl(['start', HEAL_UNIT]);
  fake.pass(30_000);
  fake.nodes[2]?.powerOff();
  fake.pass(15 * 60_000);
  assert.not.match(fake.outcome?.message ?? '', /nobody says/);
  fake.node.powerOff();
  fake.pass(2000);
  fake.node.powerOn(false);
  const said = actions(fake, 20);
  assert.ok(fake.healthy(fake.node), said);
});

/** What the app is told to do on a node by its health action. */
function runsOf(fake: ThreeMembers, node = fake.node): string[] {
  const ran: string[] = [];
  const real = fake.world.bind(fake);
  fake.world = (of, proc): World => {
    const world = real(of, proc);
    const runApp: typeof world.machine.runApp = (command, ms) => {
      if (of === node) ran.push(command.join(' '));
      return world.machine.runApp(command, ms);
    };
    return { ...world, machine: { ...world.machine, runApp } };
  };
  fake.spawn(node, 'action', 60_000, (world) => healthAction(world, fake.settings, noLog));
  fake.pass(70_000);
  return ran;
}

test('a switch of TLS restarts nothing while systemd does not say whether etcd lives', () => {
  const fake = make('none', 'first');
  fake.node.powerOff();
  changesUrls(fake, undefined);
  fake.pass(60_000);
  fake.node.powerOn(false);
  fake.pass(30_000);
  fake.node.systemd.hangsUntilMs = fake.clock.nowMs + 600_000;
  assert.equal(runsOf(fake), []);
});

test('a switch of TLS does not run the restart that makes a new authority: the first node, without marks, cut off', () => {
  const fake = make('none', 'off');
  const one = fake.nodes[0];
  if (!one) return;
  one.linkUp = false;
  renders(fake, 'first', [one]);
  fake.pass(30_000);
  assert.equal(runsOf(fake, one), []);
});

for (const [from, to] of [
  ['first', 'off'],
  ['off', 'first'],
  ['first', 'second'],
] as const)
  test(`restore by hand brings the data back that are listed still, from ${from} to ${to} meanwhile`, () => {
    const fake = new ThreeMembers('WAL damaged', {}, 3, from !== 'off');
    fake.once(
      () => fake.node.disk.has(PLACES.copyEnv),
      () => {
        renders(fake, to);
        fake.node.systemctl(['stop', HEAL_UNIT]);
      },
    );
    fake.putFile(PLACES.request, JSON.stringify({ by: 'operator', atMs: fake.clock.nowMs }));
    fake.node.systemctl(['start', HEAL_UNIT]);
    fake.pass(20_000);
    assert.is(fake.removed.length, 0);
    assert.not(fake.node.data);
    const { message } = fake.run((world) => restoreByHand(world, fake.settings, noLog));
    assert.ok(fake.node.data, message);
  });

for (const [from, to] of changes.slice(0, 2)) {
  for (const noted of [true, false])
    test(`one that was added by the old URLs, from ${from} to ${to}, and not started, on a node that loses its root disk (noted: ${noted})`, () => {
      const fake = make('WAL gone', from);
      const added = () => fake.listed.find(({ name }) => name === '')?.id;
      fake.once(
        () => added() !== undefined && (newMember(fake) === added()) === noted,
        () => {
          changesUrls(fake, domains[to]);
          backOn(fake, 30_000, true);
        },
      );
      fake.heal('health-action');
      fake.pass(300_000);
      const said = actions(fake, 60);
      assert.equal(wrong(fake), [], said);
    });

  test(`it loses its power as its new member is added, from ${from} to ${to} meanwhile: the one that has served is called the old one`, () => {
    const fake = make('WAL gone', from);
    const old = fake.listed.find(({ name }) => name === 'etcd2')?.id;
    fake.once(
      () => fake.listed.some(({ name }) => name === ''),
      () => {
        fake.node.powerOff();
        changesUrls(fake, domains[to]);
        backOn(fake, 30_000, false);
      },
    );
    fake.heal('health-action');
    fake.pass(300_000);
    const said = actions(fake, 60);
    assert.equal(wrong(fake), [], said);
    assert.is(fake.run(({ machine }) => history(machine, PLACES)).at(-1)?.oldMemberId, old, said);
  });

  test(`a boot in the moment of the switch from ${from} to ${to}: healed by the old URLs, it is listed by the new`, () => {
    const fake = make('WAL gone', from);
    before(fake, 2, () => {
      changesUrls(fake, domains[to]);
      backOn(fake, 1000, false);
    });
    fake.heal('health-action');
    fake.pass(300_000);
    const said = actions(fake, 20);
    assert.equal(wrong(fake), [], said);
  });

  test(`one of the others dies while the new member is awaited, the other goes from ${from} to ${to}`, () => {
    const fake = make('WAL gone', from);
    before(fake, 34, () => {
      assert.ok(fake.listed.some(({ name }) => name === ''));
      fake.clock.after(1, () => {
        fake.nodes[2]?.powerOff();
        return true;
      });
      fake.clock.after(500, () => {
        changesUrls(fake, domains[to]);
        return true;
      });
    });
    const ended = fake.heal('health-action');
    fake.pass(300_000);
    const said = actions(fake, 30);
    assert.ok(fake.healthy(fake.node), `${ended?.message}\n${said}`);
  });
}

test('its cable is cut as it is started by the names that the others have: it is asked by these as soon as it is back', () => {
  const fake = make('WAL gone', 'first');
  const { node } = fake;
  let [pluggedMs, healedMs] = [Number.NaN, Number.NaN];
  const plug = (plugged: boolean) => () => {
    fake.network.cable(node, plugged);
    pluggedMs = fake.clock.nowMs;
    return true;
  };
  fake.once(
    () => fake.running === PLACES.copyUnit && fake.healthy(node),
    () => changesUrls(fake, SECOND),
  );
  const isStarted = () => journalOf(fake)?.steps.at(-1)?.id === 'start';
  fake.once(
    () => node.disk.text(PLACES.copyEnv)?.includes(SECOND.dns) === true && isStarted(),
    () => {
      fake.clock.after(0, plug(false));
      fake.clock.after(13_000, plug(true));
    },
  );
  fake.once(
    () => fake.running === PLACES.unit && fake.healthy(node),
    () => {
      healedMs = fake.clock.nowMs;
    },
  );
  fake.heal('health-action');
  const said = actions(fake, 20);
  assert.equal(wrong(fake), [], said);
  assert.ok(healedMs - pluggedMs < 60_000, `${healedMs - pluggedMs} ms after the cable was back`);
});

test('restore by hand after the old member is out, and TLS off: it says what goes on, and the next start heals', () => {
  const fake = stoppedAsTlsGoesOff();
  const { code, message } = fake.run((world) => restoreByHand(world, fake.settings, noLog));
  assert.is(code, 1);
  assert.match(message, /has old URLs.*`heal-node resume` goes on/);
  fake.run((world) => start(world, fake.settings, noLog));
  const said = actions(fake, 20);
  assert.equal(wrong(fake), [], said);
});

test('other names come as restore puts the unit back, and the view has changed in another way before', () => {
  for (let nth = 40; nth <= 50; nth++) {
    const fake = make('WAL gone', 'first');
    fake.once(
      () => fake.removed.length > 0,
      () => fake.node.disk.set(PLACES.appEnv, { text: fake.node.appView({ X: '1' }), rights: ROOT_FILE }),
    );
    before(fake, nth, () => changesUrls(fake, FIRST === fake.domain ? SECOND : FIRST));
    const ended = fake.heal('health-action');
    fake.pass(300_000);
    const said = actions(fake, 60);
    assert.equal(wrong(fake), [], `before effect ${nth}: ${ended?.message}\n${said}`);
  }
});

test("another member's data that the journal calls the new one's are not started", () => {
  const fake = make('WAL gone', 'off');
  const [one] = fake.nodes;
  const { data } = one ?? {};
  if (!one || !data) return;
  fake.once(
    () => fake.running === PLACES.copyUnit && fake.healthy(fake.node),
    () => {
      fake.node.powerOff();
      one.powerOff();
      fake.node.putData({ ...data });
      const journal = `${fake.node.disk.text(PLACES.journal)}`;
      fake.putFile(PLACES.journal, journal.replaceAll(newMember(fake), data.memberId));
    },
  );
  fake.heal('health-action');
  fake.node.powerOn(false);
  fake.pass(60_000);
  const said = actions(fake, 3);
  assert.not(fake.node.etcd, said);
});

test.run();
