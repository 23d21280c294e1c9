import { type HookReader, settingsOrOwn } from '../src/appcenter/own-command.ts';
import { memberHealth } from '../src/cluster/member-health.ts';
import { clientUrlOf, tlsOf } from '../src/machine/etcd/etcd-config.ts';
import { parseEnvFile } from '../src/machine/systemd/env-file.ts';
import { parseSettings } from '../src/settings/parse-settings.ts';
import { quickReader } from './quick-reader.ts';

/** What the check needs beyond itself, and only where something is not as it should be, or is due. */
type Rest = Pick<typeof import('./hooks.ts'), 'notHealthy' | 'runDeepCheck' | 'runInstead' | 'sayUnusable'>;

/**
 * AppCenter's check: one request to the member's own client URL. This is the hot path, once a minute on every
 * node for years: nothing that it does not need is loaded, and no process is started.
 * @param rest loads the rest
 * @returns 0 healthy, 1 not, with one line why
 */
export async function healthCheck(rest: () => Promise<Rest>): Promise<number> {
  const beganMs = performance.now();
  const reader = quickReader();
  // Asked at once, as where nothing is set otherwise, while the settings are read.
  const usual = parseSettings(undefined, {});
  const early = askMember(reader, usual.etcdEnv, usual.checkTimeoutMs);
  early.catch(() => undefined);
  const found = await settingsOrOwn('health-check', reader, async (text) => (await rest()).sayUnusable(text));
  if ('own' in found) return (await rest()).runInstead(found.own);
  const { etcdEnv, checkTimeoutMs, deepCheckIntervalMs } = found.settings;
  let why: string;
  try {
    const isUsual = etcdEnv === usual.etcdEnv && checkTimeoutMs === usual.checkTimeoutMs;
    const health = await (isUsual ? early : askMember(reader, etcdEnv, checkTimeoutMs));
    if (health.state === 'true') {
      const lastMs = await reader.deepCheckedMs;
      const due = lastMs === undefined || Math.abs(Date.now() - lastMs) >= deepCheckIntervalMs;
      const leftMs = Math.round(checkTimeoutMs - 300 + beganMs - performance.now());
      return due ? (await rest()).runDeepCheck(found.settings, leftMs) : 0;
    }
    ({ why } = health);
  } catch (error) {
    why = (error as Error).message;
  }
  return (await rest()).notHealthy(found.settings, why);
}

/** @throws when the environment of etcd does not say where the member is asked */
async function askMember(reader: HookReader, etcdEnv: string, checkTimeoutMs: number) {
  const text = await reader.text(etcdEnv);
  if (text === undefined) throw new Error(`${etcdEnv} cannot be read; the app's start writes it.`);
  const env = parseEnvFile(text);
  const clientUrl = clientUrlOf(env, etcdEnv);
  // What is left of the limit is for starting and ending, and for saying why in the language that is set.
  const limitMs = Math.max(checkTimeoutMs / 2, checkTimeoutMs - 400);
  return memberHealth(clientUrl, tlsOf(env, clientUrl), limitMs);
}
