import { type HookName, settingsOrOwn } from '../src/app/own-command.ts';
import type { Settings } from '../src/settings/settings-table.ts';
import { healthCheck } from './health-check.ts';

/** The hooks by the name that AppCenter calls them by. All but the check are loaded when they are called. */
const acting: Readonly<
  Record<Exclude<HookName, 'health-check'>, () => Promise<{ run(s: Settings): Promise<number> }>>
> = {
  'health-action': () => import('./health-action.ts'),
  start: () => import('./start.ts'),
  stop: () => import('./stop.ts'),
};

export const hookNames: readonly HookName[] = ['health-check', 'health-action', 'start', 'stop'];

export const isHookName = (name: string): name is HookName => hookNames.some((hook) => hook === name);

/** Runs a hook; returns its exit code. */
export async function runHook(name: HookName): Promise<number> {
  if (name === 'health-check') return healthCheck();
  const found = settingsOrOwn(name);
  if ('own' in found) return (await import('../src/app/run-app.ts')).runInstead(found.own);
  return (await acting[name]()).run(found.settings);
}
