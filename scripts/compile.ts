import { join } from 'node:path';
import { execa } from 'execa';

export const TOP = join(import.meta.dirname, '..');

/**
 * Compiles one executable with everything in it that it needs, as those on the nodes are: from the first entry, with
 * the others beside it.
 * @param more further words for `bun build`
 */
export const compile = (entries: readonly string[], outfile: string, ...more: readonly string[]) =>
  execa(
    process.execPath,
    [
      'build',
      '--compile',
      '--minify',
      '--bytecode',
      '--format=esm',
      '--no-compile-autoload-dotenv',
      '--no-compile-autoload-bunfig',
      ...more,
      ...entries,
      `--outfile=${outfile}`,
    ],
    { cwd: TOP },
  );
