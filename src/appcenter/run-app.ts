import { spawnSync } from 'node:child_process';
import { retell } from '../words/retell.ts';

/** Runs one of the app's own commands in our place: same terminal, same environment. Returns its exit code. */
export function runInstead(argv: readonly string[]): number {
  const [program = '', ...words] = argv;
  const env = { ...process.env, CTL_SH_APP: '1' };
  const { status, error } = spawnSync(program, words, { stdio: 'inherit', env });
  if (error !== undefined) console.log(retell('{0} could not be run: {1}', argv.join(' '), error.message));
  return status ?? 1;
}
