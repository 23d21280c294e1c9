import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gate } from '../../../src/act/gate.ts';
import { healthAction } from '../../../src/act/health-action.ts';
import { start } from '../../../src/act/start-stop.ts';
import { CA_KEY, certificatePath } from '../../../src/appcenter/certificates.ts';
import { diagnose } from '../../../src/diagnose/diagnose.ts';
import { situationOf } from '../../../src/diagnose/situation.ts';
import { observe } from '../../../src/observe/observe.ts';
import { history } from '../../../src/state/heal-record.ts';
import { HEAL_UNIT } from '../../../src/state/places.ts';
import { PLACES, settings } from '../../fake/observation.ts';
import { Proc } from '../../fake/process.ts';
import { ThreeMembers } from '../../fake/three-members.ts';
import {
  badOffers,
  certificatesOf,
  DNS,
  good,
  losesVolume,
  putCertificates,
  withoutCaKey,
} from '../../fake/tls.ts';

const inTls = (broken: 'none' | 'volume lost' = 'volume lost') => new ThreeMembers(broken, {}, 3, true);

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

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

const ours = (path: string): boolean =>
  /^\/run\/heal-node\/client\//.test(path) ||
  path.startsWith(PLACES.history) ||
  path.endsWith('/heal-node/member') || // the marks
  ([PLACES.outcome, PLACES.metrics, PLACES.request] as string[]).includes(path);

function expectHealed(fake: ThreeMembers, where: string): void {
  assert.is(fake.running, PLACES.unit, `${where}: etcd runs on its own unit`);
  assert.equal(
    Object.keys(certificatesOf(fake.node)).sort(),
    Object.keys(good).sort(),
    `${where}: all are back`,
  );
  const { rights } = fake.node.disk.entries.get(certificatePath('peer-key')) ?? {};
  assert.equal(rights, { mode: 0o600, uid: 100, gid: 101 }, `${where}: with the app's owner and mode`);
  assert.is(fake.listed.filter(({ name }) => name === 'etcd2').length, 1, `${where}: listed once`);
  assert.is.not(fake.node.data?.memberId, fake.oldId, `${where}: as a new member`);
  const left = fake
    .files()
    .map(([path]) => path)
    .filter((path) => /etcd1\.|originals|journal|^\/run\/heal-node/.test(path));
  assert.equal(left, [], `${where}: nothing is left`);
}

test('the volume lost with all certificates', () => {
  const fake = inTls();
  assert.equal(certificatesOf(fake.node), {});
  const ended = fake.heal('health-action');
  assert.is(ended?.outcome, 'healed', ended?.message);
  expectHealed(fake, 'volume lost');
});

test('the root disk put back as well: names and etcd.env come back too', () => {
  const fake = inTls('none');
  fake.node.powerOff();
  losesVolume(fake.node);
  fake.node.powerOn(true);
  fake.pass(10_000);
  assert.is(fake.file(PLACES.env) && fake.node.disk.text(PLACES.env), '', 'etcd.env is there, and empty');
  const ended = fake.heal('health-action');
  assert.is(ended?.outcome, 'healed', ended?.message);
  expectHealed(fake, 'both disks');
  assert.is(fake.node.disk.text(PLACES.env), fake.node.envText);
});

test('where etcd.env is lost too, the node is marked before the app is run: its start must not found', () => {
  const fake = inTls('none');
  fake.node.powerOff();
  losesVolume(fake.node);
  fake.node.powerOn(true);
  fake.pass(10_000);
  const marked: boolean[] = [];
  const world = fake.world.bind(fake);
  fake.world = (node, proc) => {
    const real = world(node, proc);
    const runApp: typeof real.machine.runApp = (...given) => {
      marked.push(fake.node.disk.has(PLACES.rootDiskMark));
      return real.machine.runApp(...given);
    };
    return { ...real, machine: { ...real.machine, runApp } };
  };
  assert.is(fake.heal('health-action')?.outcome, 'healed');
  assert.equal(marked, [true]);
});

test('the first node of the list, through its start hook: the app makes no new authority', () => {
  const fake = inTls('none');
  const [first] = fake.nodes;
  if (!first) throw new Error('no first node');
  for (const migrated of [false, true]) {
    first.powerOff();
    losesVolume(first);
    first.powerOn(migrated);
    fake.pass(10_000);
    let code: number | undefined;
    fake.spawn(first, 'start', 600_000, async (world) => {
      code = await start(world, { ...settings, healAtBoot: 'off' }, quiet);
    });
    fake.pass(600_000);
    assert.is(code, 0, `migrated ${migrated}`);
    assert.is(first.etcd?.unit, PLACES.unit);
    assert.is(first.disk.text(certificatePath('ca')), good.ca);
  }
});

test('the gate refuses the start of a node without a mark, and the heal follows without AppCenter', () => {
  const fake = new ThreeMembers('volume lost', { healAtBoot: 'on' }, 3, true);
  fake.pass(120_000);
  expectHealed(fake, 'at boot');
});

/** What a node other than the bad one offers in place of its own. */
const offers = (fake: ThreeMembers, certificates: typeof good): void => {
  for (const other of fake.others) other.offers = certificates;
};

for (const [how, [offered, says]] of Object.entries(badOffers))
  test(`what the other nodes offer is ${how}: refused, nothing is changed, and they are asked again later`, () => {
    const fake = inTls();
    fake.run((world) => healthAction(world, { ...settings, mode: 'manual' }, quiet));
    offers(fake, offered);
    const asked = copies(fake);
    const before = fake.files(ours);
    const ended = fake.heal('health-action');
    assert.is(ended?.outcome, 'failed', ended?.message);
    assert.match(ended?.message ?? '', says);
    assert.match(ended?.message ?? '', /10\.0\.0\.1: .*10\.0\.0\.3: .*Nothing was changed/);
    assert.equal(fake.files(ours), before);
    assert.is(fake.file(`${PLACES.client}/client-key.pem`), undefined, "the client's key is not left behind");
    assert.is(asked.length, 2);
    const again = fake.heal('health-action');
    assert.is(again?.outcome, 'refused', again?.message);
    assert.match(
      again?.message ?? '',
      /refused before certificates: certificates: the heal that asked .* minutes after it/,
    );
    assert.is(asked.length, 2, 'nobody is asked at the next action');
    assert.equal(fake.files(ours), before);
    offers(fake, good);
    assert.is(fake.heal('operator')?.outcome, 'healed', 'a person need not wait');
    expectHealed(fake, how);
  });

test('what one node offers is bad, the next has what fits; ten minutes later they are asked without a person', () => {
  const fake = inTls();
  for (const other of fake.others) other.ssh = false;
  const failed = fake.heal('health-action');
  assert.match(failed?.message ?? '', /10\.0\.0\.1: scp -P 16022: Permission denied/);
  const [one, two] = fake.others;
  if (!one || !two) throw new Error('no others');
  two.ssh = true;
  fake.pass(11 * 60_000);
  const ended = fake.heal('health-action');
  assert.is(ended?.outcome, 'healed', ended?.message);
  expectHealed(fake, 'the second has them');
});

test('a heal that was cut among the files and refused for something else later keeps nobody waiting', () => {
  const fake = inTls();
  fake.once(
    () => fake.node.disk.entries.has(certificatePath(CA_KEY)),
    () => fake.node.systemctl(['kill', HEAL_UNIT]),
  );
  fake.once(
    () => fake.node.disk.kindOf(PLACES.copyEnv) === 'file',
    () => fake.othersOff(),
  );
  const ended = fake.heal('health-action');
  assert.match(ended?.message ?? '', /refused before remove/);
  const [heal] = fake.run(({ machine }) => history(machine, PLACES));
  assert.is(heal?.steps.filter(({ id }) => id === 'certificates').length, 1, 'asked again it is one entry');
  fake.node.disk.delete('/var/lib/etcd/ssl');
  fake.othersOn();
  const next = fake.heal('health-action');
  assert.is(next?.outcome, 'healed', next?.message);
});

test('a guard that refuses is asked before anything is brought', () => {
  const fake = inTls();
  fake.run((world) => healthAction(world, { ...settings, mode: 'manual' }, quiet));
  const asked = copies(fake);
  fake.node.capacity.data = 50e6;
  const before = fake.files(ours);
  const ended = fake.heal('health-action');
  assert.is(ended?.outcome, 'refused', ended?.message);
  assert.match(ended?.message ?? '', /refused before certificates: disk-room: .*Nothing was changed/);
  assert.equal(asked, []);
  assert.equal(fake.files(ours), before);
});

for (const [when, path, step] of [
  ['when the certificates are there', certificatePath(CA_KEY), 'fence'],
  ['when everything is staged', PLACES.copyEnv, 'remove'],
] as const)
  test(`the others fall silent ${when}: refused, and nothing but the certificates stays`, () => {
    const fake = inTls();
    fake.once(
      () => fake.node.disk.entries.has(path),
      () => fake.othersOff(),
    );
    const ended = fake.heal('health-action');
    assert.is(ended?.outcome, 'refused', ended?.message);
    assert.match(
      ended?.message ?? '',
      new RegExp(`refused before ${step}: .*quorum.*(The certificates stay|All steps were taken back)`),
    );
    assert.equal(certificatesOf(fake.node), good);
    assert.not(fake.node.disk.has(PLACES.copyEnv));
    assert.equal(fake.removed, []);
    // What was offered was good: nobody waits when the others are back.
    fake.othersOn();
    const next = fake.heal('health-action');
    assert.is(next?.outcome, 'healed', next?.message);
  });

test('certificates that go while a guard before remove waits: the old entry stays until usable ones have been brought', () => {
  const fake = inTls();
  fake.once(
    () => fake.node.disk.has(PLACES.copyEnv),
    () => {
      for (const { etcd } of fake.others) if (etcd) etcd.hung = true;
      fake.clock.after(4000, () => {
        for (const name of ['peer', 'peer-key']) fake.node.disk.delete(certificatePath(name));
        for (const other of fake.others) {
          other.offers = badOffers.expired?.[0];
          if (other.etcd) other.etcd.hung = false;
        }
        return true;
      });
    },
  );
  const ended = fake.heal('health-action');
  assert.is(ended?.outcome, 'failed', ended?.message);
  assert.match(ended?.message ?? '', /no other node offers certificates that can be used/);
  assert.equal(fake.removed, []);
  for (const other of fake.others) other.offers = undefined;
  const again = fake.heal('operator');
  assert.is(again?.outcome, 'healed', again?.message);
});

test('a look asks no other service and no node, and takes no longer for it; nor does the gate', () => {
  const fake = inTls();
  fake.metadata = false;
  const asked = copies(fake);
  const lasts = (
    what: (world: Parameters<Parameters<ThreeMembers['run']>[0]>[0]) => Promise<unknown>,
  ): number => {
    const beganMs = fake.clock.nowMs;
    fake.run(what);
    return fake.clock.nowMs - beganMs;
  };
  assert.ok(lasts((world) => observe(world)) < 2000);
  assert.ok(lasts((world) => gate(world)) < 1000);
  assert.equal(asked, []);
});

test('without the metadata service nobody can be asked: nothing is done, and it says why', () => {
  const fake = inTls();
  fake.metadata = false;
  const { code, message } = fake.run((world) => healthAction(world, settings, quiet));
  assert.is(code, 3, message);
  assert.match(message, /amnesia\/alone-without-data/);
  assert.match(message, /what it takes to ask the others cannot be had: .*metadata/);
  fake.metadata = true;
  assert.is(fake.heal('health-action')?.outcome, 'healed');
});

test('certificates and etcd.env are gone, and the data are whole: nothing is replaced, and it says what to do', () => {
  const fake = inTls('none');
  fake.node.powerOff();
  fake.node.disk.delete('/var/lib/etcd/ssl');
  fake.node.powerOn(true);
  fake.pass(10_000);
  const found = fake.run(async (world) => diagnose(situationOf(await observe(world), PLACES)));
  assert.is(found.reason, 'local-fault/certificates-missing');
  assert.ok(found.evidence.some(({ text }) => text.includes(`holds data of member ${fake.oldId}`)));
  assert.match(found.advice, /copy \/var\/lib\/etcd\/ssl\/etcd from a node that serves/);
  const { code } = fake.run((world) => healthAction(world, settings, quiet));
  assert.is(code, 3);
  assert.is(fake.heal('operator')?.outcome, 'nothing');
  assert.is(fake.node.data?.memberId, fake.oldId);
  assert.equal(certificatesOf(fake.node), {});
  // As the advice says.
  putCertificates(fake.node, good);
  fake.run((world) => healthAction(world, settings, quiet));
  fake.pass(10_000);
  assert.is(fake.node.etcd?.data.memberId, fake.oldId);
});

test('both disks are lost, and the member was removed: nothing shows that it was one, until a person copies the certificates', () => {
  const fake = new ThreeMembers('none', { healAtBoot: 'on' }, 3, true);
  fake.node.powerOff();
  losesVolume(fake.node);
  fake.raft.removeMember(fake.served, fake.oldId);
  fake.pass(1000);
  fake.node.powerOn(true);
  fake.pass(10_000);
  const acts = (): string => {
    const { message } = fake.run((world) => healthAction(world, settings, quiet));
    fake.pass(60_000);
    return message;
  };
  assert.match(acts(), /local-fault\/certificates-missing.*Nothing is done/);
  assert.is(fake.heal('operator')?.outcome, 'nothing');
  assert.equal(certificatesOf(fake.node), {});
  putCertificates(fake.node, good);
  assert.match(acts(), /Restarted with/);
  assert.match(acts(), /stale\/removed.*Healed in/);
  expectHealed(fake, 'removed meanwhile');
});

/** What the app's commands are run with, in place of running them: with each whether ca.pem is there. */
function appRuns(fake: ThreeMembers): string[] {
  const ran: string[] = [];
  const world = fake.world.bind(fake);
  fake.world = (node, proc) => {
    const real = world(node, proc);
    const runApp: typeof real.machine.runApp = async (argv) => {
      ran.push(`${argv.join(' ')}, ca.pem: ${node.disk.kindOf(certificatePath('ca'))}`);
      return 1;
    };
    return { ...real, machine: { ...real.machine, runApp } };
  };
  return ran;
}

for (const [when, migrated, strikes] of [
  [
    'somebody runs what looks like a verb of the app',
    false,
    (fake: ThreeMembers) => new Proc(fake.node, '/opt/app/bin/ctl.sh repair', 'theirs'),
  ],
  ['the others go off while it waits, and nothing remembers', true, (fake: ThreeMembers) => fake.othersOff()],
] as const)
  test(`the app's start, which would make a new authority, is not run where ${when}`, () => {
    const fake = inTls('none');
    fake.node.powerOff();
    losesVolume(fake.node);
    fake.node.powerOn(migrated);
    fake.pass(10_000);
    fake.metadata = false;
    const ran = appRuns(fake);
    let code: number | undefined;
    fake.spawn(fake.node, 'start', 600_000, async (world) => {
      code = await start(world, { ...settings, healAtBoot: 'off' }, quiet);
    });
    fake.pass(migrated ? 3000 : 0);
    strikes(fake);
    fake.pass(600_000);
    assert.is(code, 3);
    assert.equal(ran, []);
  });

test('what stands there instead of a certificate is not taken for one, nor replaced', () => {
  for (const stands of [{ kind: 'link' }, { text: 'of another authority' }] as const) {
    const fake = inTls('none');
    fake.node.powerOff();
    losesVolume(fake.node);
    fake.node.powerOn(true);
    fake.node.disk.set(certificatePath('ca'), { ...stands, rights: { mode: 0o644, uid: 100, gid: 101 } });
    fake.pass(10_000);
    const ran = appRuns(fake);
    const ended = fake.heal('health-action');
    assert.is.not(ended?.outcome, 'healed');
    assert.match(
      ended?.message ?? '',
      /ssl\/etcd\/ca\.pem(: is a link|\.pem is there, and is another| is there)/,
    );
    assert.equal(ran, []);
    const { rights: _, ...there } = fake.node.disk.entries.get(certificatePath('ca')) ?? {
      rights: undefined,
    };
    assert.equal(there, stands);
  }
});

test('one that is another is met before anything is put in place', () => {
  const fake = inTls();
  const rights = { mode: 0o600, uid: 100, gid: 101 };
  fake.node.disk.set(certificatePath('peer-key'), { text: 'of another authority', rights });
  const ended = fake.heal('health-action');
  assert.match(ended?.message ?? '', /peer-key\.pem is there, and is another one.*Nothing was changed/);
  assert.equal(certificatesOf(fake.node), { 'peer-key': 'of another authority' });
});

test('no node has ca-key.pem, for which the app would wait: refused by name, whatever is lost', () => {
  for (const migrated of [false, true]) {
    const fake = inTls('none');
    offers(fake, withoutCaKey);
    fake.node.powerOff();
    losesVolume(fake.node);
    fake.node.powerOn(migrated);
    fake.pass(10_000);
    const ended = fake.heal('health-action');
    assert.is(ended?.outcome, 'failed', ended?.message);
    assert.match(ended?.message ?? '', /it lacks ca-key\.pem.*Nothing was changed/);
  }
});

test('a volume that is not mounted yet, on a root disk that was put back, is not taken for lost', () => {
  const fake = inTls('none');
  fake.node.powerOff();
  fake.node.mounts(false);
  fake.node.powerOn(true);
  fake.node.disk.set('/etc/fstab', { text: '', rights: { mode: 0o644, uid: 0, gid: 0 } });
  fake.pass(10_000);
  const ended = fake.heal('health-action');
  assert.is.not(ended?.outcome, 'healed');
  assert.match(ended?.message ?? '', /local-fault\/disk-not-mounted/);
  assert.equal(fake.removed, []);
  assert.equal(certificatesOf(fake.node), {});
});

test('a dangling link at ca.pem is no certificate for the start hook: the app would make a new one', () => {
  const fake = inTls('none');
  fake.node.powerOff();
  fake.node.disk.set(certificatePath('ca'), { kind: 'link', rights: { mode: 0o777, uid: 100, gid: 101 } });
  fake.node.powerOn(false);
  fake.pass(10_000);
  const ran = appRuns(fake);
  let code: number | undefined;
  fake.spawn(fake.node, 'start', 600_000, async (world) => {
    code = await start(world, { ...settings, healAtBoot: 'off' }, quiet);
  });
  fake.pass(600_000);
  assert.is(code, 3);
  assert.equal(ran, []);
});

test('names with capitals are those that URLs have in small letters', () => {
  const fake = inTls();
  const names = [1, 2, 3].map((sid) => `10.0.0.${sid} etcd${sid}${DNS.toUpperCase()}`);
  names.push(...[1, 2, 3].map((sid) => `10.0.0.${sid} etcd${sid}${DNS}`).slice(1, 2));
  fake.putFile(PLACES.appEnv, fake.node.appView({ HOSTS_DOMAIN_NAME: names.join(' ') }));
  fake.putFile('/etc/hosts', [1, 2, 3].map((sid) => `10.0.0.${sid} etcd${sid}${DNS}\n`).join(''));
  const ended = fake.heal('health-action');
  assert.is(ended?.outcome, 'healed', ended?.message);
});

test('what the metadata service has instead of certificates is not written anywhere', () => {
  const fake = inTls();
  const world = fake.world.bind(fake);
  fake.world = (node, proc) => ({ ...world(node, proc), metadata: async () => 'bm90IGZvdW5k' });
  fake.run((seam) => healthAction(seam, { ...settings, mode: 'manual' }, quiet));
  assert.equal(fake.node.disk.below('/run/heal-node'), []);
});

test('names that are in /etc/hosts already stay as they are, and no other line is lost', () => {
  const fake = inTls();
  const hosts = `127.0.0.1 localhost\n\n# ours\n10.0.0.9 etcd1${DNS}\n10.9.9.9 other\n`;
  fake.putFile('/etc/hosts', hosts);
  fake.run((world) => healthAction(world, { ...settings, mode: 'manual' }, quiet));
  const names = [1, 2, 3].map((sid) => `10.0.0.${sid} etcd${sid}${DNS}\n`).join('');
  const whole = `${names}${hosts}`;
  assert.is(fake.node.disk.text('/etc/hosts'), whole);
  fake.metadata = false;
  fake.run((world) => healthAction(world, { ...settings, mode: 'manual' }, quiet));
  assert.is(fake.node.disk.text('/etc/hosts'), whole);
});

const cuts = {
  'the healer was killed': ({ node }) => node.systemctl(['kill', HEAL_UNIT]),
  'the machine lost its power': ({ node }) => {
    node.powerOff();
    node.powerOn(false);
  },
} as const satisfies Record<string, (fake: ThreeMembers) => void>;

/** Strikes before or after the n-th effect that comes before the swap, or after it; `count` says how many there were. */
function atEffect(
  fake: ThreeMembers,
  nth: number,
  when: 'before' | 'after',
  strike: () => void,
): () => number {
  let count = 0;
  fake.node.onEffect = (what, at) => {
    if (what !== HEAL_UNIT || fake.node.disk.has(PLACES.originals)) return;
    if (at === 'before') count++;
    if (count !== nth || at !== when) return;
    fake.node.onEffect = () => undefined;
    strike();
  };
  return () => count;
}

for (const [after, cut] of Object.entries(cuts))
  test(`cut off before and after every effect beside the swap: ${after}`, () => {
    const whole = inTls();
    const effects = atEffect(whole, 0, 'before', () => undefined);
    whole.heal('health-action');
    assert.ok(effects() > 15, `${effects()} effects`);
    for (let nth = 1; nth <= effects(); nth++)
      for (const when of ['before', 'after'] as const) {
        const where = `${after} ${when} effect ${nth} of ${effects()}`;
        const fake = inTls();
        let struck = false;
        atEffect(fake, nth, when, () => {
          struck = true;
          cut(fake);
        });
        fake.heal('health-action');
        const again = fake.heal('health-action');
        assert.ok(struck, where);
        assert.ok(['healed', 'nothing'].includes(`${again?.outcome}`), `${where}: ${again?.message}`);
        expectHealed(fake, where);
      }
  });

test.run();
