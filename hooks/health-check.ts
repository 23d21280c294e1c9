import { settingsOrOwn } from '../src/app/own-command.ts';
import { memberHealth } from '../src/cluster/member-health.ts';
import { parseEnvFile } from '../src/node/env-file.ts';
import { clientUrlOf, tlsOf } from '../src/node/etcd-config.ts';
import { quickReader } from './quick-reader.ts';

/**
 * AppCenter's check: one request to the member's own client URL. This is the hot path, once a minute on every
 * node for years: nothing that it does not need is loaded, and no process is started.
 * @param runInstead runs the app's own check, where that is called for
 * @returns 0 healthy, 1 not, with one line why
 */
export async function healthCheck(
  runInstead: (argv: readonly string[]) => number | Promise<number>,
): Promise<number> {
  const found = await settingsOrOwn('health-check', quickReader);
  if ('own' in found) return runInstead(found.own);
  const { etcdEnv, checkTimeoutMs } = found.settings;
  let why: string;
  try {
    const text = await quickReader.text(etcdEnv);
    if (text === undefined) throw new Error(`${etcdEnv} cannot be read; the app's start writes it.`);
    const env = parseEnvFile(text);
    const clientUrl = clientUrlOf(env, etcdEnv);
    // What is left of the limit is for starting and ending.
    const health = await memberHealth(clientUrl, tlsOf(env, clientUrl), Math.max(1, checkTimeoutMs - 100));
    if (health.state === 'true') return 0;
    ({ why } = health);
  } catch (error) {
    why = (error as Error).message;
  }
  console.log(`Not healthy: ${why}`);
  return 1;
}
