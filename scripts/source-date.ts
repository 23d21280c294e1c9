import { execa } from 'execa';
import { TOP } from './compile.ts';

/**
 * When the sources were last changed, in seconds since 1970: SOURCE_DATE_EPOCH (reproducible-builds.org), else the time
 * of the last commit, else, where there is no history, now. What is built carries this time and no other.
 */
export async function sourceDateSec(): Promise<number> {
  const given = process.env.SOURCE_DATE_EPOCH;
  if (given !== undefined && !/^\d{1,11}$/.test(given))
    throw new Error(`SOURCE_DATE_EPOCH=${given} is not allowed; allowed are whole seconds since 1970.`);
  if (given !== undefined) return Number(given);
  const { stdout, exitCode } = await execa('git', ['log', '-1', '--format=%ct'], { cwd: TOP, reject: false });
  return exitCode === 0 ? Number(stdout) : Math.floor(Date.now() / 1000);
}
