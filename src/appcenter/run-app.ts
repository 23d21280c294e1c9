import { spawnSync } from 'node:child_process';

/** Runs one of the app's own commands in our place: same terminal, same environment. Returns its exit code. */
export function runInstead(argv: readonly string[]): number {
  const [program = '', ...words] = argv;
  const { status, error } = spawnSync(program, words, { stdio: 'inherit' });
  if (error !== undefined) console.log(`${argv.join(' ')} could not be run: ${error.message}`);
  return status ?? 1;
}
