import { once } from 'node:events';
/** One test for every line of docs/security.md, by its number. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { busyVerbs } from '../src/appcenter/busy-verbs.ts';
import { etcdCluster } from '../src/cluster/etcd-cluster.ts';
import { limitedText } from '../src/cluster/limited-fetch.ts';
import { memberHealth } from '../src/cluster/member-health.ts';
import { diagnose } from '../src/diagnose/diagnose.ts';
import { layout } from '../src/install/layout.ts';
import { lastWords, plainLine } from '../src/machine/etcd/log-lines.ts';
import { HeldDir } from '../src/machine/os/held-dir.ts';
import { readTrusted } from '../src/machine/os/read-trusted.ts';
import { run } from '../src/machine/os/run.ts';
import { setEnvValues } from '../src/machine/systemd/env-file.ts';
import { pointEnvironmentFile } from '../src/machine/systemd/unit-file.ts';
import { thisMachine } from '../src/machine/this-machine.ts';
import { expectedCluster } from '../src/plan/expected-cluster.ts';
import { incident } from '../src/report/incident.ts';
import { openLog } from '../src/report/log.ts';
import { render } from '../src/report/render.ts';
import { parseSettings } from '../src/settings/parse-settings.ts';
import { healRecordFile, history } from '../src/state/heal-record.ts';
import { readMark } from '../src/state/member-mark.ts';
import { HEAL_UNIT, type Places, places } from '../src/state/places.ts';
import { asked, healthy, members, situation } from './fake/observation.ts';
import { ThreeMembers } from './fake/three-members.ts';
import { badOffers, certificatesOf } from './fake/tls.ts';

const RIGHTS = { mode: 0o600, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const EXECUTABLE = join(import.meta.dirname, '../dist/heal-node');
const tests = new Set<string>();
const test = suite<{ top: string }>('security');
test.before.each((context) => {
  context.top = mkdtempSync(join(tmpdir(), 'heal-node-security-'));
});
test.after.each(({ top }) => rmSync(top, { recursive: true, force: true }));

/** A test of the line with that number. */
function line(id: string, what: string, story: (context: { top: string }) => Promise<void>): void {
  tests.add(id);
  test(`${id}: ${what}`, story);
}
const stateIn = (top: string): Places => places(parseSettings(undefined, { HEAL_STATE_DIR: top }));
const fails = async (what: () => Promise<unknown>): Promise<string> =>
  what().then(
    () => {
      throw new Error('it went through');
    },
    (error: Error) => error.message,
  );

line('S1', 'a link at the end of a path, or in its middle, is followed by no operation', async ({ top }) => {
  const victim = join(top, 'victim');
  mkdirSync(join(victim, 'deep'), { recursive: true });
  writeFileSync(join(victim, 'file'), 'precious');
  writeFileSync(join(victim, 'deep/0000000000000000-0000000000000000.wal'), 'x');
  symlinkSync(victim, join(top, 'dir'));
  symlinkSync(join(victim, 'file'), join(top, 'end'));
  writeFileSync(join(top, 'own'), 'own');
  const m = thisMachine;
  for (const path of [join(top, 'dir/file'), join(top, 'dir/new')]) {
    await fails(() => m.readFile(path));
    await fails(() => m.tail(path, 10));
    await fails(() => m.kindOf(path));
    await fails(() => m.rightsOf(path));
    await fails(() => m.giveDirectory(path, RIGHTS));
    await fails(() => m.writeFile(path, 'evil', RIGHTS));
    await fails(() => m.makeDirectory(path, RIGHTS));
    await fails(() => m.remove(path));
    await fails(() => m.move(join(top, 'own'), path));
    await fails(() => m.move(path, join(top, 'stolen')));
  }
  for (const path of [join(top, 'dir'), join(top, 'dir/deep')]) {
    await fails(() => m.list(path));
    await fails(() => m.sizeOf(path));
    assert.is((await m.examine({ dataDir: path, walDir: path }, 'kind')).kind, 'unknown');
  }
  await fails(() => m.readFile(join(top, 'end')));
  await fails(() => m.tail(join(top, 'end'), 10));
  await m.writeFile(join(top, 'end'), 'ours', RIGHTS); // takes the link's place
  assert.is(readFileSync(join(top, 'end'), 'utf8'), 'ours');
  await m.remove(join(top, 'dir'));
  assert.is(readFileSync(join(victim, 'file'), 'utf8'), 'precious');
  assert.equal(readdirSync(victim).sort(), ['deep', 'file']);
  assert.is(readFileSync(join(top, 'own'), 'utf8'), 'own');
});

line('S2', 'temporary names are long, random, never one that is taken, and never left', async ({ top }) => {
  const WRITES = 50;
  mkdirSync(join(top, 'dir'));
  const observed = new Set<string>();
  const watcher = watch(join(top, 'dir'), (_, name) => void observed.add(String(name)));
  try {
    for (let n = 0; n < WRITES; n++) {
      await thisMachine.writeFile(join(top, 'dir/file'), `${n}`, RIGHTS);
      await thisMachine.makeDirectory(join(top, `dir/sub${n}`), RIGHTS);
    }
    const temporary = () => [...observed].filter((name) => name.startsWith('.'));
    for (let turn = 0; temporary().length < 2 * WRITES && turn < 1000; turn++) await setTimeout(10);
    const random = temporary().map((name) => /^\.(?:file|sub\d+)\.([0-9a-f]{24})$/.exec(name)?.[1] ?? name);
    assert.is(new Set(random).size, 2 * WRITES, 'no two names are alike');
    // A hundred draws of sixteen digits: fewer than eight kinds at one place are no chance.
    for (let at = 0; at < 24; at++)
      assert.ok(new Set(random.map((name) => name[at])).size >= 8, `digit ${at} varies: ${random[0]}`);
  } finally {
    watcher.close();
  }
  // Guessed all the same, and taken: nothing is written through what stands there.
  writeFileSync(join(top, 'victim'), 'precious');
  writeFileSync(join(top, 'file'), 'old');
  const dir = HeldDir.open(top);
  try {
    symlinkSync('victim', join(top, '.guessed'));
    assert.throws(() => dir.write('file', 'new', RIGHTS, '.guessed'), /file cannot be written: EEXIST/);
    rmSync(join(top, '.guessed'));
    writeFileSync(join(top, '.guessed'), 'theirs');
    assert.throws(() => dir.write('file', 'new', RIGHTS, '.guessed'), /file cannot be written: EEXIST/);
    assert.is(readFileSync(join(top, '.guessed'), 'utf8'), 'theirs');
    rmSync(join(top, '.guessed'));
    // What cannot take its place leaves nothing beside it.
    assert.throws(() => dir.write('dir', 'new', RIGHTS), /dir cannot be written: E/);
  } finally {
    dir.close();
  }
  assert.is(readFileSync(join(top, 'victim'), 'utf8'), 'precious');
  assert.is(readFileSync(join(top, 'file'), 'utf8'), 'old');
  assert.equal(readdirSync(top).sort(), ['dir', 'file', 'victim']);
  assert.is(readdirSync(join(top, 'dir')).length, WRITES + 1, 'the file, and the directories');
});

const RECORD = {
  schema: 'heal-node.heal/1',
  id: '20260101T000000Z-abcdef',
  by: 'x',
  reason: 'x',
  startedAt: '2026-01-01T00:00:00.000Z',
  oldMemberId: '',
  newMemberId: '',
  servedBefore: [],
  steps: [],
};

line('S3', 'a hostile journal counts as none', async ({ top }) => {
  const at = stateIn(top);
  const read = async (text: string) => {
    writeFileSync(at.journal, text);
    return healRecordFile.read(thisMachine, at.journal);
  };
  assert.is((await read(JSON.stringify(RECORD)))?.id, RECORD.id);
  const hostile = [
    '',
    '{',
    'null',
    '[]',
    `${'['.repeat(100_000)}`,
    JSON.stringify({ ...RECORD, id: '../../../etc/cron.d/x' }),
    JSON.stringify({ ...RECORD, id: '20260101T000000Z-abcdef/../..' }),
    JSON.stringify({ ...RECORD, schema: 'heal-node.heal/2' }),
    JSON.stringify({ ...RECORD, oldMemberId: '; rm -rf /' }),
    JSON.stringify({ ...RECORD, startedAt: 'yesterday' }),
    JSON.stringify({
      ...RECORD,
      steps: Array.from({ length: 20_000 }, () => ({ id: 'x', startedAt: RECORD.startedAt })),
    }),
    JSON.stringify({ ...RECORD, message: 'x'.repeat(2_000_000) }),
  ];
  for (const text of hostile) assert.is(await read(text), undefined, text.slice(0, 100));
  const polluted = await read(`{"__proto__":{"mode":"auto"},${JSON.stringify(RECORD).slice(1)}`);
  assert.is(polluted?.id, RECORD.id);
  assert.is((polluted as { mode?: string } | undefined)?.mode, undefined);
  assert.is(({} as { mode?: string }).mode, undefined);
  rmSync(at.journal);
  symlinkSync('/etc/passwd', at.journal);
  assert.is(await healRecordFile.read(thisMachine, at.journal), undefined);
});

line('S4', 'a hostile history costs no more than a hundred small files', async ({ top }) => {
  const at = stateIn(top);
  mkdirSync(at.history);
  for (let n = 0; n < 3000; n++)
    writeFileSync(join(at.history, `${String(n).padStart(5, '0')}.json`), '{"a":');
  symlinkSync('/etc/shadow', join(at.history, '99999.json'));
  writeFileSync(join(at.history, '99997.json'), 'x'.repeat(2 << 20));
  writeFileSync(join(at.history, '99998.json'), JSON.stringify(RECORD));
  let reads = 0;
  const counting = {
    ...thisMachine,
    readFile: (path: string, maxBytes?: number) => {
      reads++;
      return thisMachine.readFile(path, maxBytes);
    },
  };
  assert.equal(
    (await history(counting, at)).map(({ id }) => id),
    [RECORD.id],
  );
  assert.is(reads, 100);
});

line('S5', "root's own mark counts before the one on etcd's disk, and garbage is none", async ({ top }) => {
  const at = {
    ...stateIn(top),
    rootDiskMark: join(top, 'root-mark') as Places['rootDiskMark'],
    dataDiskMark: join(top, 'etcd-mark') as Places['dataDiskMark'],
  };
  const [a, b] = ['a'.repeat(32), 'b'.repeat(32)];
  writeFileSync(at.dataDiskMark, `has been a member\nbirthmark=${b}\n`);
  assert.is((await readMark(thisMachine, at)).birthmark, b);
  writeFileSync(at.rootDiskMark, `has been a member\nbirthmark=${a}\n`);
  assert.is((await readMark(thisMachine, at)).birthmark, a);
  for (const text of ['birthmark=$(reboot)\n', `birthmark=${a}x\n`, 'x'.repeat(100_000)]) {
    writeFileSync(at.rootDiskMark, text);
    assert.is((await readMark(thisMachine, at)).birthmark, b);
  }
});

line('S6', 'no text becomes a line of its own in what we write', async () => {
  const env = 'ETCD_NAME=a\nETCD_INITIAL_CLUSTER=x\n';
  for (const evil of ['a\nLD_PRELOAD=/tmp/x.so', 'a\rX=1', 'a\0b'])
    assert.throws(() => setEnvValues(env, { ETCD_INITIAL_CLUSTER: evil }), /control character/);
  const quoted = setEnvValues(env, { ETCD_INITIAL_CLUSTER: '$(reboot) `x` "y" \\' });
  assert.is(quoted.split('\n').length, env.split('\n').length);
  // A member that calls itself so makes the heal stop, and nothing else.
  const list = members.map((m) => (m.name === 'etcd3' ? { ...m, name: 'x\nLD_PRELOAD=/tmp/x.so' } : m));
  const observed = situation({
    ...healthy,
    others: [asked(1, { members: list }), asked(3, { members: list })],
  });
  assert.throws(
    () => setEnvValues(env, { ETCD_INITIAL_CLUSTER: expectedCluster(observed) }),
    /control character/,
  );
  const unit = '[Service]\nEnvironmentFile=/a\nExecStart=/b\n';
  assert.is(pointEnvironmentFile(unit, '/a', '/a1').text.split('\n').length, unit.split('\n').length);
});

/** Something that is not etcd answers. */
async function impostor(answer: (write: (text: string) => boolean, end: () => void) => void) {
  const server = createServer((_, response) => {
    response.on('error', () => undefined);
    answer(
      (text) => response.write(text),
      () => response.end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, close: () => new Promise((resolve) => server.close(resolve).closeAllConnections()) };
}

line('S7', 'a reply without end, or of another shape, is an error within the limits', async () => {
  const cluster = etcdCluster({
    program: '/bin/false',
    tls: undefined,
    credentials: () => undefined,
  });
  let writing: ReturnType<typeof setInterval> | undefined;
  const endless = await impostor((write) => {
    clearInterval(writing);
    writing = setInterval(() => write('x'.repeat(65_536)), 0);
  });
  const shapes = ['{}', '[]', 'null', '"x"', '{"header":{"cluster_id":{}}}', '<html>', '{"health":true}'];
  try {
    const health = await memberHealth(endless.url, undefined, 60_000);
    assert.match('why' in health ? health.why : '', /sends more than 1048576 bytes/);
    assert.ok(await fails(() => cluster.ask(endless.url)));
  } finally {
    clearInterval(writing);
    await endless.close();
  }
  let pulled = 0;
  const flood = new ReadableStream({
    pull: (stream) => {
      pulled += 65_536;
      if (pulled > 64 << 20) stream.close();
      else stream.enqueue(new Uint8Array(65_536));
    },
  });
  await fails(() => limitedText(new Response(flood)));
  assert.ok(pulled < 2 << 20, `${pulled} bytes are taken`);
  const elsewhere = createServer((_, response) => {
    response.writeHead(302, { location: 'http://127.0.0.1:1/health' }).end();
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  const redirects = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
  const { state } = await memberHealth(redirects, undefined, 2000);
  await new Promise((resolve) => elsewhere.close(resolve));
  assert.is(state, 'none', 'a redirect is not followed');
  for (const shape of shapes) {
    const server = await impostor((write, end) => {
      write(shape);
      end();
    });
    try {
      assert.is.not((await memberHealth(server.url, undefined, 2000)).state, 'true');
      assert.ok(await fails(() => cluster.ask(server.url)));
    } finally {
      await server.close();
    }
  }
});

line('S8', 'files of any content are bounded reads', async ({ top }) => {
  const wal = join(top, '0000000000000000-0000000000000000.wal');
  writeFileSync(wal, Buffer.alloc(100 << 20, 0xff));
  assert.is((await thisMachine.examine({ dataDir: top, walDir: top }, 'all')).kind, 'damaged');
  assert.match(await fails(() => thisMachine.readFile(wal)), /104857600 bytes, where 1048576 are allowed/);
  assert.is((await thisMachine.tail(wal, 1000))?.length, 1000);
});

line('S9', 'a password is in no argument, message or log, and the service dumps no core', async ({ top }) => {
  const program = join(top, 'etcdctl');
  writeFileSync(program, `#!/bin/sh\necho "$0 $*" >>${top}/args\necho "Error: denied" >&2\nexit 1\n`);
  chmodSync(program, 0o755);
  const cluster = etcdCluster({
    program,
    tls: undefined,
    credentials: () => 'root:hunter2',
  });
  const said = await Promise.all([
    fails(() => cluster.ask('http://127.0.0.1:1')),
    fails(() => cluster.removeMember(['http://127.0.0.1:1'], 'abc')),
    fails(() => cluster.addMember(['http://127.0.0.1:1'], 'a', ['http://a:2380'])),
    fails(() => cluster.putIfAbsent(['http://127.0.0.1:1'], 'k', { value: 'v', lease: '' })),
  ]);
  for (const text of [...said, readFileSync(join(top, 'args'), 'utf8')]) assert.not.match(text, /hunter2/);
  const unit = layout().find(({ path }) => path.endsWith('heal-node.service'));
  assert.match(unit && 'content' in unit ? unit.content.toString() : '', /^LimitCORE=0$/m);
});

line(
  'S10',
  'a settings or password file that others can write, or behind a link, is refused',
  async ({ top }) => {
    const path = join(top, 'settings');
    writeFileSync(path, 'HEAL_MODE=off\n', { mode: 0o600 });
    chmodSync(path, 0o600);
    assert.match(readTrusted(path) ?? '', /off/);
    chmodSync(path, 0o620);
    assert.throws(() => readTrusted(path), /can be written by others than root/);
    chmodSync(path, 0o600);
    chownSync(path, 65534, 65534);
    assert.throws(() => readTrusted(path), /owner 65534/);
    symlinkSync('/etc/passwd', join(top, 'link'));
    assert.throws(() => readTrusted(join(top, 'link')), /is a link/);
  },
);

line('S11', "neither the caller's PATH nor its environment reaches a program", async ({ top }) => {
  writeFileSync(join(top, 'env'), `#!/bin/sh\ntouch ${top}/called\n`, { mode: 0o755 });
  const [path, preload] = [process.env.PATH, process.env.EVIL];
  Object.assign(process.env, { PATH: top, EVIL: '1' });
  try {
    const { stdout } = await run(['env'], { timeoutMs: 5000 });
    assert.not.match(stdout, /EVIL/);
    assert.match(stdout, /^PATH=\/usr\/sbin:/m);
    assert.not(existsSync(join(top, 'called')));
  } finally {
    process.env.PATH = path;
    if (preload === undefined) delete process.env.EVIL;
  }
});

line('S12', 'what is written is root’s alone, and another user gets a sentence', async ({ top }) => {
  await thisMachine.writeFile(join(top, 'state/request.json'), '{}', RIGHTS);
  assert.is(statSync(join(top, 'state')).mode & 0o777, 0o700);
  assert.is(statSync(join(top, 'state/request.json')).mode & 0o777, 0o600);
  openLog('test', join(top, 'log/heal-node.log')).info({ event: 'x' }, 'A sentence.');
  assert.is(statSync(join(top, 'log/heal-node.log')).mode & 0o777, 0o640);
  assert.is(statSync(join(top, 'log')).mode & 0o777, 0o750);
  for (const laid of layout())
    if ('mode' in laid) assert.is(laid.mode & 0o022, 0, `${laid.path} can be written by root alone`);
  // A copy where another user can reach it.
  chmodSync(top, 0o755);
  await execa('cp', [EXECUTABLE, join(top, 'heal-node')]);
  for (const command of ['heal', 'resume', 'restore', 'adopt']) {
    const { exitCode, stderr, stdout } = await execa(
      'setpriv',
      ['--reuid=65534', '--regid=65534', '--clear-groups', join(top, 'heal-node'), command],
      { reject: false, stdin: 'ignore', env: { HOME: top } },
    );
    assert.is.not(exitCode, 0, command);
    assert.match(`${stdout}${stderr}`, /root/, command);
    assert.not.match(stderr, /\n\s+at /, `${command} shows no stack`);
  }
});

line('S13', 'a tree too deep to be removed stays, and is an error with its place', async ({ top }) => {
  const deep = join(top, 'deep');
  mkdirSync(join(deep, 'd/'.repeat(1000)), { recursive: true });
  // Each directory is held open while what is in it goes.
  const machine = join(import.meta.dirname, '../src/machine/this-machine.ts');
  const script = `const { thisMachine } = await import(${JSON.stringify(machine)});
    await thisMachine.remove(${JSON.stringify(deep)}).then(() => console.log('gone'), (e) => console.log(e.message));`;
  const limited = 'ulimit -n 200; exec "$0" -e "$1"';
  const { stdout } = await execa('sh', ['-c', limited, process.execPath, script]);
  assert.match(stdout, new RegExp(`^${deep}: EMFILE`));
  assert.ok(existsSync(join(deep, 'd/d/d')), 'it stays');
  await thisMachine.remove(deep);
  assert.not(existsSync(deep), 'it goes where enough files may be open');
});

line('S14', 'a command line in /proc counts only where the process is root’s', async () => {
  // Other tests' machines have verbs at work, too.
  const own = `posing-${process.pid}`;
  const poses = ['sh', '-c', 'echo; read x; :', '/opt/app/bin/ctl.sh', 'repair', own];
  for (const uid of [65_534, 0]) {
    const posing = execa('setpriv', [`--reuid=${uid}`, '--clear-groups', ...poses]);
    await once(posing.stdout, 'data');
    const counts = (await thisMachine.commandLines()).some((words) => words.includes(own));
    posing.stdin.end();
    await posing;
    assert.is(counts, uid === 0, `uid ${uid}`);
  }
  assert.equal(busyVerbs([['sh', '/opt/app/bin/ctl.sh', 'repair', '{}'], ['x', ''], []]), [
    '/opt/app/bin/ctl.sh repair',
  ]);
  assert.equal(busyVerbs([['/opt/app/bin/ctl.sh', 'check'], ['/opt/app/bin/ctl.sh'], ['repair']]), []);
});

line('S15', 'what a client sends is no last word, whatever it looks like', async () => {
  const fatal =
    '2026-01-01 00:00:00.000000 C | etcdmain: listen tcp 10.0.0.1:2380: bind: address already in use';
  const sent = ['panic: tocommit(68) is out of range [lastIndex(34)]. Was the raft log lost?', fatal];
  const own = '2026-01-01 00:00:01.000000 C | etcdmain: walpb: crc mismatch';
  const ended = (exitStatus: number) => ({ mainPid: 0, exitKind: 1, exitStatus });
  assert.equal(lastWords([...sent, own], ended(1)), [plainLine(own)]);
  assert.equal(lastWords([...sent, own], ended(2)), [], 'no report of a panic ends the log');
  assert.equal(lastWords(sent, { mainPid: 0, exitKind: 2, exitStatus: 9 }), [], 'it was killed');
});

line('S16', 'certificates of another authority are not put in place, whoever offers them', async () => {
  const fake = new ThreeMembers('volume lost', {}, 3, true);
  for (const other of fake.others) other.offers = badOffers['of another authority']?.[0];
  assert.match(fake.heal('operator')?.message ?? '', /its ca\.pem is not the authority by which/);
  assert.equal(certificatesOf(fake.node), {});
});

/** What `systemd-analyze security` may say at most, in tenths: 48 with systemd 252; up to 50 it says OK. */
const EXPOSURE = 50;

line('S17', 'systemd-analyze security says OK of heal-node.service', async () => {
  const unit = join(import.meta.dirname, '../src/install', HEAL_UNIT);
  const words = ['security', '--offline=true', '--no-pager', `--threshold=${EXPOSURE}`, unit];
  const { exitCode, stdout, stderr } = await execa('systemd-analyze', words, { reject: false });
  const said = /Overall exposure level for .*: (\d+\.\d)/.exec(stdout)?.[1];
  assert.ok(said && Number(said) * 10 <= EXPOSURE, `${said} ${stderr}`);
  assert.is(exitCode, 0, `${said} ${stderr}`);
});

line('S18', 'a hostile history is text in a report, in HTML and in Markdown', async () => {
  const hostile = '<script>alert(1)</script>\u001b[2J';
  const steps = [{ id: hostile, startedAt: RECORD.startedAt, did: hostile }];
  const lists = { membersBefore: [], membersAfter: [] };
  const record = {
    ...RECORD,
    ...lists,
    schema: 'heal-node.heal/1' as const,
    by: hostile,
    message: hostile,
    steps,
  };
  const report = { incident: incident(record, [], '/aside'), now: diagnose(situation(healthy)) };
  for (const format of ['html', 'md'] as const)
    assert.not.match(render(report, format), /(?<!\\)<script|\p{Cc}\[2J/u);
});

test('every line of docs/security.md has its test, and every test its line', () => {
  const doc = readFileSync(join(import.meta.dirname, '../docs/security.md'), 'utf8');
  const lines = [...doc.matchAll(/^\| (S\d+) \|/gm)].map(([, id]) => id);
  assert.equal(lines, [...tests]);
});

test.run();
