import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { healthAction } from '../../src/act/health-action.ts';
import { etcdctl } from '../../src/cluster/etcdctl.ts';
import { anyReply } from '../../src/cluster/replies.ts';
import type { Verdict } from '../../src/diagnose/verdicts.ts';
import type { World } from '../../src/observe/world.ts';
import { PLACES } from '../fake/observation.ts';
import { ThreeMembers } from '../fake/three-members.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The action on member 2, with the app's commands that it has run; they do what `app` does. */
function action(
  fake: ThreeMembers,
  app: (verb: string) => void = (verb) => fake.node.app(verb),
  changes: Partial<World> = {},
) {
  const commands: string[] = [];
  const result = fake.run((world) => {
    const runApp: typeof world.machine.runApp = async (argv) => {
      commands.push(argv.join(' '));
      app(argv.at(-1) ?? '');
      return 0;
    };
    return healthAction(
      { ...world, machine: { ...world.machine, runApp }, ...changes },
      fake.settings,
      silent,
    );
  });
  return { ...result, commands };
}

/** The verdict that the metrics show, of all those that there are. */
const shown = (fake: ThreeMembers): string[] => {
  const text = fake.node.disk.entries.get(PLACES.metrics)?.text ?? '';
  return [...text.matchAll(/^heal_node_verdict\{verdict="([a-z-]+)"\} 1$/gm)].map(
    ([, verdict = '']) => verdict,
  );
};

const stopped = (fake: ThreeMembers) => {
  fake.node.systemctl(['stop', PLACES.unit]);
  fake.pass(1000);
};
const alone = (fake: ThreeMembers) => {
  stopped(fake);
  fake.node.disk.delete('/var/lib/etcd/default.etcd/member');
  fake.othersOff();
};
const byHand = (fake: ThreeMembers) => fake.putFile(PLACES.copyEnv, 'ETCD_NAME=etcd2\n');

const verdicts: readonly (readonly [
  verdict: Verdict,
  code: number,
  fake: () => ThreeMembers,
  breaks: (fake: ThreeMembers) => void,
])[] = [
  ['healthy', 0, () => new ThreeMembers('none'), () => undefined],
  ['stopped', 0, () => new ThreeMembers('none'), stopped],
  ['amnesia', 3, () => new ThreeMembers('none'), alone],
  ['stale', 3, () => new ThreeMembers('WAL gone', { mode: 'manual' }), () => undefined],
  ['healing', 3, () => new ThreeMembers('none', { mode: 'manual' }), byHand],
];

for (const [verdict, code, make, breaks] of verdicts)
  test(`the metrics show the verdict that the action has found, whatever its exit code: ${verdict}`, () => {
    const fake = make();
    breaks(fake);
    const found = action(fake);
    assert.match(found.message, new RegExp(`^etcd2 is ${verdict} \\(${verdict}/`));
    assert.is(found.code, code);
    assert.equal(shown(fake), [verdict]);
  });

test('after a heal they show what its service has seen last', () => {
  const fake = new ThreeMembers('WAL gone');
  const { code, message } = action(fake);
  assert.is(code, 0, message);
  fake.settled();
  assert.equal(shown(fake), ['healthy']);
});

test("an etcd.env that is missing: the place of the data is unknown, and the app's restart writes the file", () => {
  const fake = new ThreeMembers('none');
  const env = fake.node.disk.entries.get(PLACES.env);
  assert.ok(env);
  fake.node.powerOff();
  fake.node.disk.delete(PLACES.env);
  fake.node.powerOn(false);
  // Longer than systemd's start limit counts.
  fake.pass(20_000);
  const { code, message, commands } = action(fake, (verb) => {
    if (env) fake.node.disk.set(PLACES.env, env);
    fake.node.app(verb);
  });
  assert.equal(commands, ['/opt/app/bin/ctl.sh restart'], message);
  assert.is(code, 0);
  assert.match(message, /^This node is local-fault \(local-fault\/unit\)/);
  fake.pass(10_000);
  assert.is(action(fake).message.slice(0, 16), 'etcd2 is healthy');
});

test("without the app's view nobody knows what its restart does to certificates, but without TLS", () => {
  for (const [tls, env, ran] of [
    [true, true, 0],
    [true, false, 0],
    [false, false, 0],
    [false, true, 1],
  ] as const) {
    const fake = new ThreeMembers('none', {}, 3, tls);
    stopped(fake);
    fake.node.disk.delete(PLACES.appEnv);
    if (!env) fake.node.disk.delete(PLACES.env);
    const { commands, message, code } = action(fake);
    assert.is(commands.length, ran, message);
    if (ran === 0)
      assert.match(message, /The app's restart is not run: \S+\.env is missing, so nothing tells/);
    assert.is(code, ran === 0 ? 3 : 0);
  }
});

test("after the stop hook nothing is restarted or killed behind an operator's back, until the next start", () => {
  const parked = (fake: ThreeMembers) => fake.putFile(PLACES.parked, 'until the next start\n');
  const deadAlone = (fake: ThreeMembers) => {
    stopped(fake);
    fake.othersOff();
  };
  for (const breaks of [stopped, deadAlone]) {
    const fake = new ThreeMembers('none');
    breaks(fake);
    parked(fake);
    const { code, message, commands } = action(fake);
    assert.equal(commands, [], message);
    assert.is(code, 3);
    assert.match(message, /The app was stopped; the next start starts etcd\./);
    fake.node.disk.delete(PLACES.parked);
    assert.equal(
      action(fake).commands,
      ['/opt/app/bin/ctl.sh restart'],
      'with nothing to say that it was stopped',
    );
  }
});

test('beside the start hook nothing is restarted: the stop of a restart would end its start', () => {
  const fake = new ThreeMembers('none');
  stopped(fake);
  const { code, message, commands } = fake.run(async (world) => {
    const commands: string[] = [];
    const machine: World['machine'] = {
      ...world.machine,
      commandLines: async () => [['/opt/heal-node/bin/start'], ['/usr/bin/etcd']],
      runApp: async (argv) => commands.push(argv.join(' ')),
    };
    return { ...(await healthAction({ ...world, machine }, fake.settings, silent)), commands };
  });
  assert.equal(commands, []);
  assert.is(code, 3);
  assert.match(message, /\/opt\/heal-node\/bin\/start is running, so nothing is done\./);
});

test('a password file that cannot be read ends the action with a sentence that names it', () => {
  for (const breaks of [() => undefined, stopped]) {
    const fake = new ThreeMembers('none');
    breaks(fake);
    const call = etcdctl({
      program: '/bin/true',
      tls: undefined,
      credentials: () => {
        throw new Error('HEAL_ETCD_PASSWORD_FILE=/none holds no password for root.');
      },
    });
    const said: unknown[] = [];
    const log = { ...silent, info: (...words: unknown[]) => void said.push(words) };
    const result = fake.run((world) => {
      const ask = async (endpoint: string) => call([endpoint], ['member', 'list'], anyReply, 1000) as never;
      const cluster = () => ({ ...world.cluster(undefined), ask });
      return healthAction({ ...world, cluster }, fake.settings, log);
    });
    assert.match(result.message, /^etcd2 is [a-z-]+ \(/);
    assert.match(JSON.stringify(said), /HEAL_ETCD_PASSWORD_FILE=\/none holds no password/);
  }
});

test('what it has stopped between two runs it looks at, however late in its time the gap has come', () => {
  for (const gapAtMs of [3000, 11_000, 24_000, 34_000, 41_000, 60_000]) {
    const fake = new ThreeMembers('WAL damaged');
    const { message, stops, tookMs } = fake.run(async (world) => {
      const { machine } = world;
      const beganMs = machine.monotonicMs();
      let stops = 0;
      // Each run takes long to die: the unit is on its way up, but for a moment.
      const units: typeof machine.units = async (names) =>
        (await machine.units(names)).map((unit, at) => {
          if (names[at] !== PLACES.unit || stops > 0) return unit;
          const isGap = machine.monotonicMs() - beganMs >= gapAtMs;
          const run = isGap ? { sub: 'auto-restart', mainPid: 0 } : { sub: 'start', mainPid: 4242 };
          return { ...unit, active: 'activating', restarts: 6, ...run };
        });
      const process: typeof machine.process = async () => {
        const done = machine.monotonicMs();
        return { state: 'R', cpuTicks: done, ioBytes: done };
      };
      const systemctl: typeof machine.systemctl = async (words, timeoutMs) => {
        if (words.join(' ') === `stop ${PLACES.unit}`) stops++;
        else await machine.systemctl(words, timeoutMs);
      };
      const looping = { ...world, machine: { ...machine, units, process, systemctl } };
      const { message } = await healthAction(looping, { ...fake.settings, mode: 'manual' }, silent);
      return { message, stops, tookMs: machine.monotonicMs() - beganMs };
    });
    if (gapAtMs <= 11_000) assert.is(stops, 1, `a gap at ${gapAtMs} ms`);
    assert.match(message, stops > 0 ? /is stale \(stale\/wal-damaged\)/ : /is starting/, `${gapAtMs} ms`);
    assert.ok(tookMs < fake.settings.actionTimeoutMs, `a gap at ${gapAtMs} ms: ${tookMs} ms`);
  }
});

test('a run that has begun in the moment of that stop is started again, and what it dies of counts', () => {
  const fake = new ThreeMembers('WAL damaged');
  const { message, words } = fake.run(async (world) => {
    const { machine } = world;
    const words: string[] = [];
    const units: typeof machine.units = async (names) =>
      (await machine.units(names)).map((unit, at) => {
        if (names[at] !== PLACES.unit || words.includes('start --no-block etcd.service')) return unit;
        return words.length === 0
          ? { ...unit, active: 'activating', restarts: 6, sub: 'auto-restart', mainPid: 0, exitKind: 0 }
          : { ...unit, active: 'failed', result: 'signal', mainPid: 0, exitKind: 0, exitPid: 0 };
      });
    const systemctl: typeof machine.systemctl = async (all) => {
      words.push(all.join(' '));
    };
    const looping = { ...world, machine: { ...machine, units, systemctl } };
    return { ...(await healthAction(looping, { ...fake.settings, mode: 'manual' }, silent)), words };
  });
  assert.equal(words, ['stop etcd.service', 'start --no-block etcd.service']);
  assert.match(message, /is stale \(stale\/wal-damaged\)/);
});

test('nor behind a heal that has fenced the node since the action looked', () => {
  const fake = new ThreeMembers('none');
  stopped(fake);
  const commands: string[] = [];
  const info = ({ event }: { readonly event: string }): void => {
    if (event !== 'verdict') return;
    fake.node.disk.move(PLACES.unitFile, PLACES.copyUnitFile);
    byHand(fake);
  };
  const { code, message } = fake.run((world) => {
    const runApp: World['machine']['runApp'] = async (argv) => commands.push(argv.join(' '));
    const machine = { ...world.machine, runApp };
    return healthAction({ ...world, machine }, fake.settings, { ...silent, info });
  });
  assert.equal(commands, [], message);
  assert.is(code, 3);
  assert.match(message, /A heal has begun; follow it/);
});

test.run();
