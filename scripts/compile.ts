import { join } from 'node:path';
import { execa } from 'execa';

export const TOP = join(import.meta.dirname, '..');

/**
 * Compiles one executable with everything in it that it needs, as those on the nodes are: from the first entry, with
 * the others beside it. The same sources make the same bytes, wherever the checkout is.
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
      // A process that lasts for milliseconds gains nothing by what is compiled in it; at 10 a log is read no slower.
      '--compile-jit-policy=10',
      '--format=esm',
      '--no-compile-autoload-dotenv',
      '--no-compile-autoload-bunfig',
      // pino would carry the checkout's path: it looks there for files of its worker threads, of which we start none.
      '--define=__dirname="/"',
      ...more,
      ...entries,
      `--outfile=${outfile}`,
    ],
    { cwd: TOP },
  );
