import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HeldDir } from '../../../src/machine/os/held-dir.ts';
import { readTrusted } from '../../../src/machine/os/read-trusted.ts';

const test = suite<{ top: string; dir: HeldDir }>('held-dir');
const rights = { mode: 0o640, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

test.before.each((context) => {
  context.top = mkdtempSync(join(tmpdir(), 'held-dir-'));
  context.dir = HeldDir.open(context.top);
});
test.after.each(({ top, dir }) => {
  dir.close();
  rmSync(top, { recursive: true });
});

test('a whole file is put in place with its rights, and no other name is left', ({ top, dir }) => {
  writeFileSync(join(top, 'a'), 'old');
  dir.write('a', 'new', rights);
  assert.is(readFileSync(join(top, 'a'), 'utf8'), 'new');
  assert.is(lstatSync(join(top, 'a')).mode & 0o7777, 0o640);
  assert.equal(dir.names(), ['a']);
});

test('what a write has left that was cut off goes with the next one, and only that', ({ top, dir }) => {
  const left = `.a.${'0f'.repeat(12)}`;
  const names = [left, `.b.${'1e'.repeat(12)}`, '.a.0f', 'a.0f0f0f0f0f0f0f0f0f0f0f0f'];
  for (const name of names) writeFileSync(join(top, name), 'half');
  const long = new Date(Date.now() - 120_000);
  for (const name of names.filter((each) => !each.startsWith('.b'))) utimesSync(join(top, name), long, long);
  dir.write('a', 'new', rights);
  assert.equal(dir.names(), [...names.slice(1), 'a'].sort());
});

test('a link is not followed: not as a directory, not to read, not to write, not to remove', ({
  top,
  dir,
}) => {
  mkdirSync(join(top, 'target'));
  writeFileSync(join(top, 'target/secret'), 'secret');
  symlinkSync('target', join(top, 'link'));
  symlinkSync('target/secret', join(top, 'file-link'));
  assert.throws(() => HeldDir.open(join(top, 'link')), /link|ENOTDIR/);
  assert.throws(() => dir.openFile('file-link'), /is a link/);
  dir.write('file-link', 'mine', rights);
  assert.is(readFileSync(join(top, 'target/secret'), 'utf8'), 'secret');
  dir.remove('link');
  assert.is(existsSync(join(top, 'target/secret')), true);
});

test('a tree is removed with the links in it, and what they point to stays', ({ top, dir }) => {
  mkdirSync(join(top, 'tree/inner'), { recursive: true });
  writeFileSync(join(top, 'kept'), 'kept');
  symlinkSync('../kept', join(top, 'tree/link'));
  dir.remove('tree');
  assert.equal(dir.names(), ['kept']);
});

test('nothing is moved onto a name that is taken', ({ top, dir }) => {
  mkdirSync(join(top, 'a'));
  mkdirSync(join(top, 'b'));
  assert.throws(() => dir.moveTo('a', dir, 'b'), /is there already/);
  assert.equal(dir.names(), ['a', 'b']);
});

test('a name that leads elsewhere is refused', ({ dir }) => {
  for (const name of ['..', 'a/b', '', 'a\0b']) assert.throws(() => dir.stat(name), /is not a name/);
});

test('a file larger than allowed is refused, and its tail can be had', ({ top, dir }) => {
  writeFileSync(join(top, 'large'), 'y'.repeat(90) + 'x'.repeat(10));
  using file = dir.openFile('large');
  assert.throws(() => file?.whole(99), /100 bytes, where 99 are allowed/);
  assert.is(file?.last(10).toString(), 'x'.repeat(10));
});

test('settings that others can write, or behind a link, are not trusted', ({ top }) => {
  const path = join(top, 'heal-node.env');
  assert.is(readTrusted(path), undefined);
  writeFileSync(path, 'HEAL_MODE=off\n');
  chmodSync(path, 0o666);
  assert.throws(() => readTrusted(path), /can be written by others than root/);
  symlinkSync('heal-node.env', join(top, 'link'));
  assert.throws(() => readTrusted(join(top, 'link')), /is a link/);
});

test('what cannot be written is named by its path, and why', () => {
  const dir = HeldDir.open('/proc');
  assert.throws(
    () => dir.write('no-file', 'x', { mode: 0o600, uid: 0, gid: 0 }),
    /^\/proc\/no-file cannot be written: E/,
  );
  dir.close();
});

test.run();
