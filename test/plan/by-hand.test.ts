/** What `plan --manual` prints, run by a shell with programs that stand in for systemctl, etcdctl and heal-node. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { askAsClient } from '../../src/act/heal/ask-as-client.ts';
import { situationOf } from '../../src/diagnose/situation.ts';
import { observe } from '../../src/observe/observe.ts';
import { commandsByHand } from '../../src/plan/by-hand.ts';
import { healSteps, type StepId } from '../../src/plan/heal-steps.ts';
import { changesUrls } from '../fake/app.ts';
import { PLACES } from '../fake/observation.ts';
import { ThreeMembers } from '../fake/three-members.ts';
import { badOffers, type Certificates, good, SECOND } from '../fake/tls.ts';

const test = suite('by hand', { dir: '' });
test.before.each((context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'heal-node-by-hand-'));
});
test.after.each(({ dir }) => rmSync(dir, { recursive: true }));

const put = (path: string, text: string, mode = 0o644): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode });
};

/** The paths of the node, other programs' included, stand below a directory of the test's own. */
async function run(
  dir: string,
  ids: readonly StepId[],
  programs: Readonly<Record<string, string>>,
  fake = new ThreeMembers('WAL gone'),
  values: Readonly<Record<string, string>> = {},
) {
  const look = () => fake.run(async (world) => situationOf(await observe(world), PLACES));
  fake.run((world) => askAsClient(world, look()));
  const situation = look();
  const hand = { etcdctl: '/bin/etcdctl', etcdUser: '', etcdPasswordFile: '', startCmd: ['app', 'start'] };
  const steps = healSteps.filter(({ id }) => ids.includes(id));
  const text = commandsByHand(situation, PLACES, hand, steps);
  const all = { sleep: '', sync: '', systemctl: 'exit 3', etcdctl: '', 'heal-node': '', ...programs };
  // As etcdctl does it where a flag and its variable are both given (pkg/flags/flag.go).
  const refuses = '[ -z "$ETCDCTL_ENDPOINTS" ] || exit 128';
  for (const [name, body] of Object.entries(all))
    put(join(dir, 'bin', name), `#!/bin/sh\necho "${name} $*" >>${dir}/called\n${refuses}\n${body}\n`, 0o755);
  const given = Object.entries({ healNode: '/bin/heal-node', ...values });
  const here = given
    .reduce((so, [name, value]) => so.replace(new RegExp(`^${name}=.*$`, 'm'), `${name}='${value}'`), text)
    .replaceAll(/^((?:export )?\w+=')(?=\/)/gm, `$1${dir}`)
    .replaceAll('/etc/hosts', `${dir}/hosts`);
  const { exitCode, stderr } = await execa('sh', ['-c', here], {
    env: { PATH: `${dir}/bin:${process.env.PATH}`, ETCDCTL_ENDPOINTS: 'http://127.0.0.1:2379' },
    reject: false,
  });
  return { exitCode, stderr, called: readFileSync(join(dir, 'called'), 'utf8') };
}

const PAUSE = 'the commands of plan --manual';
/** As heal-node does it: the pause of a node is a file with a sentence. */
const pausing = (dir: string) =>
  `case $1 in pause) echo "by root@etcd2: ${PAUSE}; $3" ;; esac >${dir}${PLACES.paused}; [ $1 = pause ] || rm ${dir}${PLACES.paused}`;

test('heals are paused in earnest, also where a pause that is over has left its file', async ({ dir }) => {
  put(join(dir, PLACES.paused), '{}');
  utimesSync(join(dir, PLACES.paused), 0, 0);
  const { exitCode, called, stderr } = await run(dir, [], { 'heal-node': pausing(dir) });
  assert.is(exitCode, 0, stderr);
  assert.match(called, /^heal-node pause --for 2h .*^heal-node unpause$/ms);
});

test('a member that serves is not replaced, unless its data differ from those of all others', async ({
  dir,
}) => {
  const fake = new ThreeMembers('WAL gone');
  const serves = await run(dir, ['fence'], {}, fake);
  assert.match(serves.stderr, /serves: this member is not to be replaced/);
  const differs = await run(dir, ['fence'], {}, fake, { diverged: 'yes' });
  assert.not.match(differs.stderr, /not to be replaced/);
  const situation = fake.run(async (world) => situationOf(await observe(world), PLACES));
  const hand = { etcdctl: '', etcdUser: '', etcdPasswordFile: '', startCmd: [] };
  for (const diverged of [true, false])
    assert.match(
      commandsByHand({ ...situation, diverged }, PLACES, hand, []),
      new RegExp(`^diverged='${diverged ? 'yes' : ''}'$`, 'm'),
    );
});

test('a pause of another person is in force again at the end, also when the commands are run twice', async ({
  dir,
}) => {
  const paused = join(dir, PLACES.paused);
  put(paused, 'a colleague');
  const stopped = await run(dir, ['fence'], { 'heal-node': pausing(dir) });
  assert.is(stopped.exitCode, 1);
  assert.is(readFileSync(paused, 'utf8'), `by root@etcd2: ${PAUSE}; 24h\n`);
  const { exitCode, called, stderr } = await run(dir, [], { 'heal-node': pausing(dir) });
  assert.is(exitCode, 0, stderr);
  assert.not.match(called, /unpause/);
  assert.equal(readdirSync(dirname(paused)), ['paused.json']);
  assert.is(readFileSync(paused, 'utf8'), 'a colleague');
});

test('nor is a pause ended that somebody has made while the commands ran', async ({ dir }) => {
  const paused = join(dir, PLACES.paused);
  put(paused, '');
  const { exitCode, called } = await run(dir, [], { 'heal-node': `echo a colleague >${paused}` });
  assert.is(exitCode, 0);
  assert.not.match(called, /unpause/);
  assert.is(readFileSync(paused, 'utf8'), 'a colleague\n');
});

/** A shell's own programs where they need another user, or another machine: what a node offers lies in a directory. */
const onThisMachine = (dir: string) => ({
  scp: `for into; do :; done; for ip in 10.0.0.1 10.0.0.3; do case "$*" in *" $ip:"*) cp ${dir}/$ip/* "$into" ;; esac; done`,
  install:
    'args=; while [ $# -gt 0 ]; do case $1 in -o | -g) shift 2 ;; *) args="$args \'$1\'"; shift ;; esac; done; eval "/usr/bin/install $args"',
  id: '',
});

test('certificates are brought as the heal brings them, from the first node whose own can be used', async ({
  dir,
}) => {
  const lost = new ThreeMembers('volume lost', {}, 3, true);
  const ssl = join(dir, 'var/lib/etcd/ssl/etcd');
  const offer = (ip: string, offered: Certificates) => {
    rmSync(join(dir, ip), { recursive: true, force: true });
    mkdirSync(join(dir, ip));
    for (const [name, text] of Object.entries(offered)) put(join(dir, ip, `${name}.pem`), text);
  };
  put(join(dir, 'hosts'), '127.0.0.1 localhost\n');
  put(join(dir, 'run/heal-node/client/ca.pem'), `${good.ca}\n`);
  put(join(dir, PLACES.env), 'ETCD_NAME=etcd2\n');
  for (const [what, [offered]] of Object.entries(badOffers)) {
    for (const ip of ['10.0.0.1', '10.0.0.3']) offer(ip, offered);
    const { exitCode, stderr } = await run(dir, ['certificates'], onThisMachine(dir), lost);
    assert.is(exitCode, 1, what);
    assert.match(stderr, /Stopped: no node that serves offers certificates that can be used/, what);
    assert.not.ok(existsSync(ssl), `${what}: nothing was put in place`);
  }
  offer('10.0.0.3', good);
  const { exitCode, stderr } = await run(dir, ['certificates'], onThisMachine(dir), lost);
  assert.is(exitCode, 0, stderr);
  for (const [name, text] of Object.entries(good)) {
    assert.is(readFileSync(join(ssl, `${name}.pem`), 'utf8'), text, name);
    assert.is(statSync(join(ssl, `${name}.pem`)).mode & 0o777, name.endsWith('-key') ? 0o600 : 0o644, name);
  }
  assert.match(
    readFileSync(join(dir, 'hosts'), 'utf8'),
    /^10\.0\.0\.1 etcd1\.cl-1\.etcd\n[\s\S]*localhost\n$/,
  );
  assert.not.ok(existsSync(join(dir, 'run/heal-node/client')));

  // One that is there and is another's is not written over.
  put(join(ssl, 'peer.pem'), 'another');
  put(join(dir, 'run/heal-node/client/ca.pem'), good.ca ?? '');
  const again = await run(dir, ['certificates'], onThisMachine(dir), lost);
  assert.match(again.stderr, /peer\.pem is there, and is another one than that of 10\.0\.0\.3; move it away/);
});

test('those that the app has made others for, with other names, are replaced', async ({ dir }) => {
  const fake = new ThreeMembers('WAL gone', {}, 3, true);
  fake.once(
    () => fake.removed.length > 0,
    () => changesUrls(fake, SECOND),
  );
  fake.heal('operator');
  fake.pass(60_000);
  const ssl = join(dir, 'var/lib/etcd/ssl/etcd');
  put(join(dir, 'hosts'), '127.0.0.1 localhost\n');
  put(join(dir, 'run/heal-node/client/ca.pem'), `${SECOND.certificates.ca}\n`);
  put(join(dir, PLACES.env), 'ETCD_NAME=etcd2\n');
  for (const [name, text] of Object.entries(good)) put(join(ssl, `${name}.pem`), text);
  for (const [name, text] of Object.entries(SECOND.certificates))
    put(join(dir, '10.0.0.3', `${name}.pem`), text);
  const { exitCode, stderr } = await run(dir, ['certificates'], onThisMachine(dir), fake);
  assert.is(exitCode, 0, stderr);
  for (const [name, text] of Object.entries(SECOND.certificates))
    assert.is(readFileSync(join(ssl, `${name}.pem`), 'utf8'), text, name);
});

test("with names that the others do not have yet the app's start, which would write them, is not run", async ({
  dir,
}) => {
  const fake = new ThreeMembers('WAL gone', {}, 3, true);
  put(join(dir, PLACES.originalUnit), '');
  utimesSync(join(dir, PLACES.originalUnit), 1, 1);
  put(join(dir, PLACES.copyUnitFile), '');
  put(join(dir, 'var/lib/etcd/ssl/etcd/ca.pem'), good.ca ?? '');
  for (const [dns, runs] of [
    ['.cl-2.etcd', false],
    ['.cl-1.etcd', true],
  ] as const) {
    put(join(dir, PLACES.appEnv), `ETCD_ENABLE_TLS="true"\nETCD_CLUSTER_DNS="${dns}"\n`);
    const { stderr, called } = await run(dir, ['restore'], { systemctl: '', app: '' }, fake);
    assert.is(/^app start$/m.test(called), runs, stderr);
    if (!runs) assert.match(stderr, /Stopped: the other nodes do not have the names in \S+ yet/);
  }
});

test("where etcd.env is lost as well, the app's start writes it only where the gate keeps etcd from starting", async ({
  dir,
}) => {
  const lost = new ThreeMembers('volume lost', {}, 3, true);
  for (const [name, text] of Object.entries(good)) put(join(dir, '10.0.0.1', `${name}.pem`), text);
  const mark = join(dir, PLACES.rootDiskMark);
  mkdirSync(dirname(mark), { recursive: true });
  // A gate that lets every start pass (HEAL_MODE=off), or cannot look.
  for (const code of [0, 1]) {
    put(join(dir, 'run/heal-node/client/ca.pem'), good.ca ?? '');
    const gate = { ...onThisMachine(dir), 'heal-node': `[ $1 != gate ] || exit ${code}`, app: '' };
    const { exitCode, stderr, called } = await run(dir, ['certificates'], gate, lost);
    assert.is(exitCode, 1);
    assert.match(stderr, /Stopped: the gate lets etcd start, and its data are gone/);
    assert.not.match(called, /^app start$/m);
    assert.not.ok(existsSync(join(dir, 'var/lib/etcd/ssl')), 'nothing was put in place');
  }
  put(join(dir, 'run/heal-node/client/ca.pem'), good.ca ?? '');
  rmSync(mark);
  const gate = {
    'heal-node': `[ $1 != gate ] || [ ! -s ${mark} ] || exit 3`,
    app: `mkdir -p ${dir}/opt/app/conf; echo ETCD_NAME=etcd2 >${dir}${PLACES.env}`,
  };
  const { exitCode, stderr, called } = await run(
    dir,
    ['certificates'],
    { ...onThisMachine(dir), ...gate },
    lost,
  );
  assert.is(exitCode, 0, stderr);
  assert.match(called, /^heal-node gate$[\s\S]*^app start$/m);
});

test('the saved original is on the disk before the unit is moved away', async ({ dir }) => {
  put(join(dir, PLACES.unitFile), '[Service]\n');
  const { called, stderr } = await run(dir, ['fence'], {
    etcdctl: 'case "$*" in *10.0.0.2:2379*) exit 1 ;; esac',
    sync: `[ -e ${dir}${PLACES.unitFile} ] && [ -s ${dir}${PLACES.originalUnit} ] && echo saved >>${dir}/called; true`,
  });
  assert.match(called, /^saved$/m, stderr);
  assert.not.ok(existsSync(join(dir, PLACES.unitFile)));
});

test('set-aside goes on where a cut has left a log in a directory of its own', async ({ dir }) => {
  put(join(dir, 'wal/0000000000000000-0000000000000000.wal'), '');
  const { exitCode, stderr } = await run(dir, ['set-aside'], {}, undefined, { wal: '/wal' });
  assert.is(exitCode, 0, stderr);
  assert.equal(readdirSync(dir).filter((name) => name.startsWith('wal')).length, 1);
  assert.not.ok(existsSync(join(dir, 'wal')));
});

test('where the URLs are new, the entry that has the old ones of this node is changed, whoever has its name', async ({
  dir,
}) => {
  put(join(dir, PLACES.unitFile), '');
  const lists = `
case "$*" in *'member list'*)
  echo 'aaa, started, etcd2, http://10.0.0.1:2380, http://10.0.0.1:2379, false'
  echo 'bbb, started, etcd2, http://10.0.9.2:2380, http://10.0.9.2:2379, false' ;;
esac`;
  const values = { newUrls: 'yes', otherPeer: 'http://10.0.9.2:2380' };
  const programs = { etcdctl: lists, app: '', systemctl: '' };
  const { exitCode, called, stderr } = await run(dir, ['restore'], programs, undefined, values);
  assert.is(exitCode, 0, stderr);
  assert.match(called, / member update bbb --peer-urls=http:\/\/10\.0\.0\.2:2380$/m);
  assert.not.match(called, / member update aaa/);
});

test('nothing is done beside a heal that is at work', async ({ dir }) => {
  put(join(dir, PLACES.journal), '{}');
  const { exitCode, called, stderr } = await run(dir, ['restore'], { systemctl: 'exit 0' });
  assert.is(exitCode, 1);
  assert.match(stderr, /^Stopped: heal-node\.service is at a heal/);
  assert.not.match(called, /systemctl (stop|start|daemon-reload)/);
});

test('a member that lags, and lists the old ID, is not taken for one that lists the new one', async ({
  dir,
}) => {
  const lists = `
case "$*" in
*'member add'*) touch ${dir}/added ;;
*'member list'*)
  n=$(cat ${dir}/n 2>/dev/null || echo 0); echo $((n + 1)) >${dir}/n
  if [ "$n" = 0 ]; then cat ${dir}/old; elif [ -e ${dir}/added ]; then echo "abc, unstarted, , http://10.0.0.2:2380, , false"; fi ;;
esac`;
  const own = new ThreeMembers('WAL gone').listed.find(({ name }) => name === 'etcd2');
  put(join(dir, 'old'), `${own?.id}, started, etcd2, http://10.0.0.2:2380, http://10.0.0.2:2379, false\n`);
  const { exitCode, called, stderr } = await run(dir, ['add'], { etcdctl: lists });
  assert.is(exitCode, 0, stderr);
  assert.match(called, /member add etcd2 --peer-urls=http:\/\/10\.0\.0\.2:2380/);
});

test('restore goes on where a cut has left the copy not loaded any more', async ({ dir }) => {
  put(join(dir, PLACES.unitFile), '');
  put(join(dir, PLACES.originalUnit), '');
  const systemctl = 'case "$*" in "stop etcd1.service") exit 5 ;; esac';
  const { exitCode, called, stderr } = await run(dir, ['restore'], { systemctl });
  assert.is(exitCode, 0, stderr);
  assert.match(called, /^systemctl start etcd\.service$/m);
  assert.not.ok(existsSync(join(dir, PLACES.originals)));
});

test.run();
