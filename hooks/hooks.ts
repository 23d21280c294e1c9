import { type HookName, settingsOrOwn } from '../src/app/own-command.ts';
import { runInstead } from '../src/app/run-app.ts';
import { thisMachine } from '../src/node/this-machine.ts';
import { loadSettings } from '../src/settings/load-settings.ts';
import type { Settings } from '../src/settings/settings-table.ts';
import { runDeepCheck } from './deep-check.ts';
import { run as healthAction } from './health-action.ts';
import { healthCheck } from './health-check.ts';
import { run as start } from './start.ts';
import { run as stop } from './stop.ts';

/** The hooks by the name that AppCenter calls them by; the check has an entry of its own (bin/heal-node.ts). */
const acting: Readonly<Record<Exclude<HookName, 'health-check'>, (settings: Settings) => Promise<number>>> = {
  'health-action': healthAction,
  start,
  stop,
};

export const hookNames: readonly HookName[] = ['health-check', 'health-action', 'start', 'stop'];

export const isHookName = (name: string): name is HookName => hookNames.some((hook) => hook === name);

/** Runs a hook; returns its exit code. */
export async function runHook(name: HookName): Promise<number> {
  if (name === 'health-check') return healthCheck(runInstead, runDeepCheck);
  const found = await settingsOrOwn(name, {
    settings: loadSettings,
    text: async (path) => (await thisMachine.readFile(path).catch(() => undefined))?.text,
  });
  return 'own' in found ? runInstead(found.own) : acting[name](found.settings);
}
