import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { quickSettings } from '../../hooks/quick-reader.ts';
import { SettingsError } from '../../src/settings/parse-settings.ts';

const test = suite<{ path: string; top: string }>('the quick reader');
test.before.each((context) => {
  context.top = mkdtempSync(join(tmpdir(), 'heal-node-quick-'));
  context.path = join(context.top, 'heal-node.env');
});
test.after.each(({ top }) => rmSync(top, { recursive: true }));

const refusal = (path: string): Promise<unknown> => quickSettings(path).catch((error: Error) => error);

test('a settings file that is missing means the defaults, one that is there counts', async ({ path }) => {
  assert.is((await quickSettings(path)).mode, 'auto');
  writeFileSync(path, 'HEAL_MODE=manual\n', { mode: 0o600 });
  assert.is((await quickSettings(path)).mode, 'manual');
});

test('one that cannot be read, or that others can write, is an error that names it, and no missing one', async ({
  path,
}) => {
  mkdirSync(path, { mode: 0o700 });
  const unreadable = await refusal(path);
  assert.ok(unreadable instanceof SettingsError, String(unreadable));
  assert.is(unreadable.message, `${path} cannot be read.`);
  rmSync(path, { recursive: true });
  writeFileSync(path, 'HEAL_MODE=manual\n');
  chmodSync(path, 0o666);
  const untrusted = await refusal(path);
  assert.ok(untrusted instanceof SettingsError, String(untrusted));
  assert.match(untrusted.message, /heal-node\.env.*can be written by others than root/);
});

test.run();
