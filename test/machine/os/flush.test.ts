import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const here = (name: string): string => join(import.meta.dirname, name);
const test = suite('flush', { dir: '' });
test.before.each((context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'heal-node-flush-'));
});
test.after.each(({ dir }) => rmSync(dir, { recursive: true }));

/** The calls of a script that flush, rename or remove, in their order, as strace(1) sees them; temporary names as `new`. */
async function callsOf(dir: string, script: string): Promise<string[]> {
  const file = join(dir, 'script.ts');
  writeFileSync(
    file,
    `import { thisMachine } from '${here('../../../src/machine/this-machine.ts')}';\n${script}`,
  );
  const planted = process.env.PLANTED ? ['--preload', here('../../sim/plant.ts')] : [];
  const trace = 'trace=fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,rmdir';
  const { stderr, exitCode } = await execa(
    'strace',
    ['-qq', '-y', '-f', '-e', trace, process.execPath, ...planted, file],
    {
      reject: false,
    },
  );
  assert.is(exitCode, 0, stderr);
  const calls = stderr.matchAll(/(\w+)\((?:[^"]*?<([^>]+)>|"([^"]+)", "([^"]+)")/g);
  const plain = (path: string) =>
    path
      .replace(/\/\.([a-z]+)\.[0-9a-f]+$/, '/new')
      .replace(dir, '')
      .replace(/^\/proc\/self\/fd\/\d+\//, '');
  // The runtime has files of its own.
  const ours = [...calls].filter(([, , flushed, from]) =>
    (flushed ?? from)?.startsWith(flushed ? dir : '/proc/self/fd/'),
  );
  return ours.map(([, call, flushed, from, to]) =>
    flushed === undefined ? `${call} ${plain(from ?? '')} ${plain(to ?? '')}` : `${call} ${plain(flushed)}`,
  );
}

test('a file is flushed before it takes the old name, and the name after it', async ({ dir }) => {
  writeFileSync(join(dir, 'file'), 'old');
  const calls = await callsOf(
    dir,
    `await thisMachine.writeFile('${dir}/file', 'text', { mode: 0o600, uid: 0, gid: 0 });`,
  );
  assert.equal(calls, ['fsync /new', 'rename new file', 'fsync ']);
});

test('what is moved is flushed under its new name first', async ({ dir }) => {
  const rights = '{ mode: 0o700, uid: 0, gid: 0 }';
  const made = `await thisMachine.makeDirectory('${dir}/a', ${rights}); await thisMachine.makeDirectory('${dir}/b', ${rights});`;
  const calls = await callsOf(
    dir,
    `${made} await thisMachine.writeFile('${dir}/a/file', 'text', ${rights}); await thisMachine.move('${dir}/a/file', '${dir}/b/other');`,
  );
  assert.equal(calls.slice(-3), ['rename file other', 'fsync /b', 'fsync /a']);
});

test.run();
