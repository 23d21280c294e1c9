import { execa } from 'execa';
import * as assert from 'uvu/assert';

/** What promtool says of it; fails with that, or with how to get promtool, when it does not end with 0. */
export async function promtool(words: readonly string[], input = ''): Promise<string> {
  const { exitCode, code, all } = await execa('promtool', words, { reject: false, all: true, input });
  assert.is.not(
    code,
    'ENOENT',
    'promtool is missing: `node scripts/setup.mjs --machines` gets it from the Debian package prometheus',
  );
  assert.is(exitCode, 0, `promtool ${words.join(' ')}: ${all}`);
  return all ?? '';
}
