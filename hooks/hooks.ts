import { constants, setPriority } from 'node:os';
import { deepCheck } from '../src/act/deep-check.ts';
import { healthAction } from '../src/act/health-action.ts';
import { start, stop } from '../src/act/start-stop.ts';
import { type HookName, settingsOrOwn } from '../src/appcenter/own-command.ts';
import { runInstead } from '../src/appcenter/run-app.ts';
import { attempt } from '../src/machine/attempt.ts';
import { thisMachine } from '../src/machine/this-machine.ts';
import { realWorld } from '../src/observe/real-world.ts';
import { openLog } from '../src/report/log.ts';
import { loadSettings } from '../src/settings/load-settings.ts';
import type { Settings } from '../src/settings/settings-table.ts';
import { retell, speak } from '../src/words/retell.ts';
import { healthCheck } from './health-check.ts';

export { runInstead };

const say = (text: string): void => console.log(retell(text));

/** Of settings that cannot be used, in the language that they set all the same. */
export function sayUnusable(text: string): void {
  attempt(loadSettings);
  say(text);
}

/** The deeper half of the health check, within `limitMs`. @returns 0 healthy, 1 not, with one line why */
export async function runDeepCheck(settings: Settings, limitMs: number): Promise<number> {
  // It can wait; on a node of one core the clients of etcd would wait for it.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  const { code, message } = await deepCheck(realWorld(settings), settings, openLog('health-check'), limitMs);
  return code === 0 ? 0 : notHealthy(settings, message);
}

/** The one line of a check that fails. @returns its exit code */
export function notHealthy(settings: Settings, why: string): number {
  speak(settings);
  say(`Not healthy: ${why}`);
  return 1;
}

/** @returns 0 acted or under way, 1 failed, 3 refused */
async function runHealthAction(settings: Settings): Promise<number> {
  const log = openLog('health-action');
  const { code, message } = await healthAction(realWorld(settings), settings, log).catch((error: Error) => {
    const why = `This node could not be looked at: ${error.message}; nothing is done, and the next health action looks again.`;
    log.error({ event: 'failed' }, why);
    return { code: 1, message: why };
  });
  say(message);
  return code;
}

/** The hooks by the name that AppCenter calls them by; the check has an entry of its own (bin/heal-node.ts). */
const acting: Readonly<Record<Exclude<HookName, 'health-check'>, (settings: Settings) => Promise<number>>> = {
  'health-action': runHealthAction,
  start: (settings) => start(realWorld(settings), settings, openLog('start')),
  stop: (settings) => stop(realWorld(settings), settings, openLog('stop')),
};

/** Runs a hook; returns its exit code. */
export async function runHook(name: HookName): Promise<number> {
  if (name === 'health-check')
    return healthCheck(async () => ({ runInstead, runDeepCheck, notHealthy, sayUnusable }));
  const text = async (path: string) => (await thisMachine.readFile(path).catch(() => undefined))?.text;
  const found = await settingsOrOwn(name, { settings: loadSettings, text }, say);
  return 'own' in found ? runInstead(found.own) : acting[name](found.settings);
}
