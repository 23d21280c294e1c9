import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { commands } from '../../src/cli/commands.ts';
import { settingsTable } from '../../src/settings/settings-table.ts';

const EXECUTABLE = join(import.meta.dirname, '../../dist/heal-node');

/** As AppCenter calls: a bare environment, no terminal. */
const call = (program: string, words: readonly string[] = [], env: Record<string, string> = {}) =>
  execa(program, words, {
    extendEnv: false,
    env: { PATH: '/usr/bin:/bin', ...env },
    reject: false,
    stdin: 'ignore',
  });

const test = suite<{ dir: string }>('the executable');
test.before.each((context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'heal-node-'));
});
test.after.each(({ dir }) => rmSync(dir, { recursive: true }));

test('needs nothing newer than glibc 2.17', () => {
  const versions = new Set(
    readFileSync(EXECUTABLE)
      .toString('latin1')
      .match(/GLIBC_2\.\d+/g) ?? [],
  );
  assert.ok(versions.size > 0);
  assert.equal(
    [...versions].filter((version) => Number(version.split('.')[1]) > 17),
    [],
  );
});

test('has nothing in it of where it was built: the same sources make the same bytes anywhere', () => {
  const top = join(import.meta.dirname, '../..');
  assert.not.ok(readFileSync(EXECUTABLE).includes(`${top}/`));
});

test('every command has a help that exits 0, and the help lists them all', async () => {
  const { stdout } = await call(EXECUTABLE, ['--help']);
  for (const { name } of commands) {
    assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
    assert.is((await call(EXECUTABLE, [name, '--help'])).exitCode, 0);
  }
});

test('bad usage exits 2 with a sentence', async () => {
  for (const words of [
    ['bogus'],
    ['pause', '--for', '2 hours', '--reason', 'x'],
    ['pause', '--for', '2h'],
    ['status', '--bogus'],
    ['hook', 'bogus'],
    ['hook'],
    ['logs', '--lines', '0'],
    ['install', '--root', '/no/such/dir'],
  ]) {
    const { exitCode, stderr } = await call(EXECUTABLE, words);
    assert.is(exitCode, 2, words.join(' '));
    assert.ok(stderr.length > 0);
  }
});

test('bad settings: a command exits 2, a hook does what the app’s own would and says so', async () => {
  const status = await call(EXECUTABLE, ['status'], { HEAL_MODE: 'of' });
  assert.is(status.exitCode, 2);
  assert.match(status.stderr, /HEAL_MODE=of is not allowed; allowed is auto, manual, off/);
  const check = await call(EXECUTABLE, ['hook', 'health-check'], { HEAL_MODE: 'of' });
  assert.match(check.stdout, /acts as with HEAL_MODE=off: the environment: HEAL_MODE=of/);
});

test('config says what is in force, and from where', async () => {
  const { stdout } = await call(EXECUTABLE, ['config'], { HEAL_MODE: 'manual' });
  assert.match(stdout, /^HEAL_MODE=manual {2}# from the environment$/m);
  assert.match(stdout, /^HEAL_AT_BOOT=on {2}# from the default$/m);
  const json = await call(EXECUTABLE, ['config', '--json'], { HEAL_MODE: 'manual' });
  const { schema, settings } = JSON.parse(json.stdout);
  assert.is(schema, 'heal-node.config/1');
  assert.equal(settings.length, Object.keys(settingsTable).length);
});

test('a .env file or bunfig.toml where it happens to be called is not read', async ({ dir }) => {
  writeFileSync(join(dir, '.env'), 'HEAL_MODE=of\n');
  writeFileSync(join(dir, 'bunfig.toml'), 'preload = ["./evil.ts"]\n');
  writeFileSync(join(dir, 'evil.ts'), 'console.log("evil")');
  const { stdout } = await execa(EXECUTABLE, ['hook', 'health-check'], {
    cwd: dir,
    extendEnv: false,
    env: { PATH: '/usr/bin:/bin' },
    reject: false,
  });
  assert.match(stdout, /^Not healthy: /);
  assert.not.match(stdout, /HEAL_MODE|evil/);
});

test('called through a link it is that hook', async ({ dir }) => {
  symlinkSync(EXECUTABLE, join(dir, 'health-check'));
  const { exitCode, stdout } = await call(join(dir, 'health-check'));
  assert.is(exitCode, 1);
  assert.match(stdout, /^Not healthy: [^\n]+$/);
});

test('install --root lays the files, and again with the same result', async ({ dir }) => {
  mkdirSync(join(dir, 'image'));
  const root = join(dir, 'image');
  const first = await call(EXECUTABLE, ['install', '--root', root]);
  assert.is(first.exitCode, 0, first.stderr);
  assert.match(first.stdout, /"check_cmd": "\/opt\/heal-node\/bin\/health-check"/);
  for (const name of ['health-check', 'health-action', 'start', 'stop']) {
    assert.is(readlinkSync(join(root, 'opt/heal-node/bin', name)), 'heal-node');
  }
  assert.is(readlinkSync(join(root, 'usr/local/bin/heal-node')), '/opt/heal-node/bin/heal-node');
  assert.is(lstatSync(join(root, 'opt/app/conf/heal-node.env')).mode & 0o7777, 0o600);
  assert.ok(existsSync(join(root, 'etc/systemd/system/multi-user.target.wants/heal-node.service')));
  assert.ok(readFileSync(join(root, 'opt/heal-node/bin/heal-node')).equals(readFileSync(EXECUTABLE)));

  writeFileSync(join(root, 'opt/app/conf/heal-node.env'), 'HEAL_MODE=manual\n');
  const second = await call(EXECUTABLE, ['install', '--root', root]);
  assert.match(second.stdout, /^Everything was in place already\.\nChange these lines in cluster\.json:/);
  assert.is(readFileSync(join(root, 'opt/app/conf/heal-node.env'), 'utf8'), 'HEAL_MODE=manual\n');
});

test('install --shim puts a link in the place of ctl.sh and keeps the original, also of a newer one', async ({
  dir,
}) => {
  const ctl = join(dir, 'opt/app/bin/ctl.sh');
  mkdirSync(join(dir, 'opt/app/bin'), { recursive: true });
  for (const text of ['#!/bin/sh\n', '#!/bin/sh\n# newer\n']) {
    rmSync(ctl, { force: true });
    writeFileSync(ctl, text, { mode: 0o755 });
    const laid = await call(EXECUTABLE, ['install', '--shim', '--root', dir]);
    assert.is(laid.exitCode, 0, laid.stderr);
    assert.is(readlinkSync(ctl), '/opt/heal-node/bin/heal-node');
    assert.is(readFileSync(`${ctl}.app`, 'utf8'), text);
    assert.is(lstatSync(`${ctl}.app`).mode & 0o7777, 0o755);
    const again = await call(EXECUTABLE, ['install', '--shim', '--root', dir]);
    assert.is(again.stdout, 'Everything was in place already.');
  }
  assert.equal(readdirSync(join(dir, 'opt/app/bin')).sort(), ['ctl.sh', 'ctl.sh.app']);
});

test('completion is printed for whoever asks', async () => {
  const { stdout, exitCode } = await call('setpriv', [
    '--reuid=65534',
    '--clear-groups',
    EXECUTABLE,
    'completion',
    'bash',
  ]);
  assert.is(exitCode, 0);
  assert.match(stdout, /^complete .*heal-node$/m);
});

test.run();
