/** The Debian package, quickly: what is in it, and what its scripts do. `npm run package:try` has it on machines. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { version } from '../../package.json';
import { built } from '../../scripts/build.ts';
import { maintainerScript, makeDeb, SCRIPTS } from '../../scripts/package/deb.ts';
import { debianVersion } from '../../scripts/package/files.ts';
import { manPage } from '../../scripts/package/man-page.ts';
import { bundledPackages } from '../../scripts/sbom.ts';
import { commands } from '../../src/cli/commands.ts';
import { layout, packagedPath } from '../../src/install/layout.ts';
import { settingsTable } from '../../src/settings/settings-table.ts';

const SETTINGS = '/opt/app/conf/heal-node.env';
const { executable, sbom } = built('x64');

/** A package like the released one, but for its compression, which takes a minute. */
const make = async (out: string): Promise<void> => {
  await makeDeb({
    version,
    dateSec: 1_700_000_000,
    arch: 'amd64',
    out,
    compression: 'none',
    executable,
    sbom,
    bundled: bundledPackages({ inputs: { 'node_modules/execa/index.js': {} } }),
    runnable: executable,
  });
};

const test = suite<{ dir: string; deb: string; names: string[] }>('the Debian package');
test.before(async (context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'heal-node-package-test-'));
  context.deb = join(context.dir, 'heal-node.deb');
  await make(context.deb);
  for (const name of SCRIPTS) writeFileSync(join(context.dir, name), maintainerScript(name), { mode: 0o755 });
  const { stdout } = await execa('dpkg-deb', ['--contents', context.deb], { env: { TZ: 'UTC' } });
  context.names = stdout.split('\n');
});
test.after(({ dir }) => rmSync(dir, { recursive: true }));

const field = async (deb: string, name: string): Promise<string> =>
  (await execa('dpkg-deb', ['--field', deb, name])).stdout;

test('has what install lays, root’s, where a package may have it, and nothing of a person’s', ({ names }) => {
  const paths = names.map((line) => line.split(' ./')[1]?.replace(/ -> .*/, '/') ?? '');
  for (const laid of layout().filter((each) => !('anyTarget' in each)))
    assert.ok(
      paths.some((path) => `/${path}`.replace(/\/$/, '') === packagedPath(laid.path)),
      laid.path,
    );
  assert.ok(names.some((line) => line.includes('./usr/share/man/man1/heal-node.1.gz')));
  assert.equal(
    names.filter((line) => !/ root\/root /.test(line)),
    [],
  );
  assert.equal(
    paths.filter((path) => /^(etc|var|run|lib|usr\/local)\//.test(path)),
    [],
  );
  assert.ok(names.some((line) => line.startsWith('-rw------- ') && line.endsWith(`.${SETTINGS}`)));
});

test('its settings are a conffile, and its fields fit', async ({ deb }) => {
  assert.is((await execa('dpkg-deb', ['--info', deb, 'conffiles'])).stdout, SETTINGS);
  assert.is(await field(deb, 'Version'), debianVersion(version));
  assert.is(await field(deb, 'Architecture'), 'amd64');
  assert.match(await field(deb, 'Depends'), /libc6 \(>= 2\.17\)/);
});

test('made twice it is the same', async ({ dir, deb }) => {
  const again = join(dir, 'again.deb');
  await make(again);
  assert.ok(readFileSync(again).equals(readFileSync(deb)));
});

test('its scripts are shell, and ask systemd for nothing but a state and a reload', async ({ dir }) => {
  for (const name of SCRIPTS) {
    const text = maintainerScript(name);
    await execa('sh', ['-n', join(dir, name)]);
    const code = text.replace(/^\s*#.*$/gm, '');
    const asked = [...code.matchAll(/\bsystemctl ([a-z-]+)/g)];
    assert.equal(
      asked.map(([, word]) => word).filter((word) => word !== 'daemon-reload' && word !== 'show'),
      [],
      name,
    );
    assert.not.match(
      code,
      /\b(kill|pkill|killall|invoke-rc\.d|deb-systemd-invoke)\b|\/var\/lib\/etcd(?!\/heal-node)/,
      name,
    );
  }
});

/** Runs a script for a root of its own, as dpkg does with `--root` and `--force-script-chrootless` (dpkg(1)). */
async function run(dir: string, script: string, word: string, files: Readonly<Record<string, string>>) {
  const root = mkdtempSync(join(dir, 'root-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    if (text.startsWith('-> ')) symlinkSync(text.slice(3), join(root, path));
    else writeFileSync(join(root, path), text);
  }
  const { exitCode, stdout, stderr } = await execa('sh', [join(dir, script), word], {
    env: { DPKG_ROOT: root, DPKG_MAINTSCRIPT_PACKAGE: 'heal-node' },
    reject: false,
  });
  return { root, exitCode, said: `${stdout}${stderr}` };
}

const JOURNAL = '/var/lib/etcd/heal-node/journal.json';

test('is not removed while a heal is unfinished, and is upgraded', async ({ dir }) => {
  const unfinished: Readonly<Record<string, string>>[] = [
    { [JOURNAL]: '{}' },
    { '/var/lib/heal-node/originals/etcd.service': '' },
    { [SETTINGS]: 'HEAL_STATE_DIR=/a\nHEAL_STATE_DIR=/var/lib/etcd/b\n', '/var/lib/etcd/b/journal.json': '' },
    { [SETTINGS]: 'HEAL_STATE_DIR="/var/lib/etcd/b"\n', '/var/lib/etcd/b/journal.json': '' },
    { [SETTINGS]: 'HEAL_STATE_DIR =  /var/lib/etcd/b/ \n', '/var/lib/etcd/b/journal.json': '' },
  ];
  for (const files of unfinished) {
    const { exitCode, said } = await run(dir, 'prerm', 'remove', files);
    assert.is(exitCode, 1, JSON.stringify(files));
    assert.match(said, /is not removed, nothing was changed: .*`heal-node resume` finishes it/s);
    assert.is((await run(dir, 'prerm', 'upgrade', files)).exitCode, 0);
  }
  const { exitCode, said } = await run(dir, 'prerm', 'remove', {
    '/var/lib/etcd/heal-node/history/1.json': '',
  });
  assert.is(exitCode, 0);
  assert.is(said, '');
});

test('removed, it gives the app its own ctl.sh back, or stays', async ({ dir }) => {
  const link = { '/opt/app/bin/ctl.sh': '-> /opt/heal-node/bin/heal-node' };
  const back = await run(dir, 'prerm', 'remove', { ...link, '/opt/app/bin/ctl.sh.app': 'the app' });
  assert.is(back.exitCode, 0, back.said);
  assert.is(readFileSync(join(back.root, '/opt/app/bin/ctl.sh'), 'utf8'), 'the app');
  const lost = await run(dir, 'prerm', 'remove', link);
  assert.is(lost.exitCode, 1);
  assert.match(lost.said, /the original, .*ctl\.sh\.app, is missing/);
});

test('purged, it leaves the history and the data set aside, and says so', async ({ dir }) => {
  const files = {
    '/var/lib/etcd/heal-node/history/1.json': '{}',
    '/var/lib/heal-node/member': '',
    '/var/log/heal-node/heal-node.log': '',
  };
  const { root, exitCode, said } = await run(dir, 'postrm', 'purge', files);
  assert.is(exitCode, 0, said);
  assert.match(said, /heal-node is kept: the history/);
  assert.ok(existsSync(join(root, '/var/lib/etcd/heal-node/history/1.json')));
  assert.not.ok(existsSync(join(root, '/var/lib/heal-node')));
  assert.not.ok(existsSync(join(root, '/var/log/heal-node')));
});

test('what install has laid is set aside, and nobody’s link', async ({ dir }) => {
  const unit = '/etc/systemd/system/heal-node.service';
  const wants = '/etc/systemd/system/multi-user.target.wants/heal-node.service';
  const laid = layout().find(({ path }) => path === unit);
  const text = laid !== undefined && 'content' in laid ? String(laid.content) : '';
  const packaged = { [packagedPath(unit)]: text };
  const before = { ...packaged, [unit]: text, [wants]: '-> ../heal-node.service' };
  const own = await run(dir, 'postinst', 'configure', before);
  assert.is(own.exitCode, 0, own.said);
  assert.is(readFileSync(join(own.root, `${unit}.dpkg-old`), 'utf8'), text);
  assert.not.ok(existsSync(join(own.root, unit)));
  assert.is(readlinkSync(join(own.root, wants)), packagedPath(unit));
  const masked = await run(dir, 'postinst', 'configure', { ...packaged, [unit]: '-> /dev/null' });
  assert.is(masked.exitCode, 0, masked.said);
  assert.ok(lstatSync(join(masked.root, unit)).isSymbolicLink());
});

test('the man page has every command, option and setting, and is well-formed', async ({ dir }) => {
  const page = manPage(version, '2026-01-01');
  const plain = page
    .replace(/\\f[BIR]/g, '')
    .replaceAll('\\-', '-')
    .replaceAll('\n', ' ');
  for (const { name, options = [] } of commands) {
    assert.ok(plain.includes(`.TP ${name} `), name);
    for (const [flags] of options) assert.ok(plain.includes(`${flags}: `), flags);
  }
  for (const { key } of Object.values(settingsTable)) assert.ok(plain.includes(`.TP ${key}=`), key);
  for (const line of page.trimEnd().split('\n'))
    assert.match(line, /^(\.(TH|SH|TP|IP|PP)( |$)|[^.'])/, 'no text is taken for a request');
  const path = join(dir, 'heal-node.1');
  writeFileSync(path, page);
  const { code, stdout } = await execa('mandoc', ['-T', 'lint', path], { reject: false });
  assert.is.not(code, 'ENOENT', 'mandoc is missing: `node scripts/setup.mjs --machines` installs it');
  assert.is(stdout, '');
});

test.run();
