import { settingsOrOwn } from '../src/appcenter/own-command.ts';
import { memberHealth } from '../src/cluster/member-health.ts';
import { clientUrlOf, tlsOf } from '../src/machine/etcd/etcd-config.ts';
import { parseEnvFile } from '../src/machine/systemd/env-file.ts';
import type { Settings } from '../src/settings/settings-table.ts';
import { quickReader } from './quick-reader.ts';

/**
 * AppCenter's check: one request to the member's own client URL. This is the hot path, once a minute on every
 * node for years: nothing that it does not need is loaded, and no process is started.
 * @param runInstead runs the app's own check, where that is called for
 * @param deepCheck runs the deep check within so many milliseconds, now and then
 * @param notHealthy says why it is not
 * @param sayUnusable says that the settings cannot be used
 * @returns 0 healthy, 1 not, with one line why
 */
export async function healthCheck(
  runInstead: (argv: readonly string[]) => number | Promise<number>,
  deepCheck: (settings: Settings, limitMs: number) => Promise<number>,
  notHealthy: (settings: Settings, why: string) => number | Promise<number>,
  sayUnusable: (text: string) => void | Promise<void>,
): Promise<number> {
  const beganMs = performance.now();
  const reader = quickReader();
  const found = await settingsOrOwn('health-check', reader, sayUnusable);
  if ('own' in found) return runInstead(found.own);
  const { etcdEnv, checkTimeoutMs, deepCheckIntervalMs } = found.settings;
  let why: string;
  try {
    const text = await reader.text(etcdEnv);
    if (text === undefined) throw new Error(`${etcdEnv} cannot be read; the app's start writes it.`);
    const env = parseEnvFile(text);
    const clientUrl = clientUrlOf(env, etcdEnv);
    // What is left of the limit is for starting and ending, and for saying why in the language that is set.
    const limitMs = Math.max(checkTimeoutMs / 2, checkTimeoutMs - 400);
    const health = await memberHealth(clientUrl, tlsOf(env, clientUrl), limitMs);
    if (health.state === 'true') {
      const lastMs = await reader.deepCheckedMs;
      const due = lastMs === undefined || Math.abs(Date.now() - lastMs) >= deepCheckIntervalMs;
      return due ? deepCheck(found.settings, checkTimeoutMs - 300 - (performance.now() - beganMs)) : 0;
    }
    ({ why } = health);
  } catch (error) {
    why = (error as Error).message;
  }
  return notHealthy(found.settings, why);
}
