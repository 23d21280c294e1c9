import { APP_CTL } from '../node/places.ts';
import { loadSettings, SettingsError } from '../settings/load-settings.ts';
import { type Settings, settingsTable } from '../settings/settings-table.ts';
import { isProxy } from './node-role.ts';

export type HookName = 'health-check' | 'health-action' | 'start' | 'stop';

const ownOf = (settings: Settings | undefined): Readonly<Record<HookName, readonly string[]>> => ({
  'health-check': [APP_CTL, 'check'],
  'health-action': settings?.restartCmd ?? settingsTable.restartCmd.fallback.split(' '),
  start: settings?.startCmd ?? settingsTable.startCmd.fallback.split(' '),
  stop: settings?.stopCmd ?? settingsTable.stopCmd.fallback.split(' '),
});

/**
 * The settings that a hook goes by, or the app's own command that it must run instead: on a proxy, with
 * `HEAL_MODE=off`, and with settings that cannot be used, because a typo must not take the health check down.
 */
export function settingsOrOwn(hook: HookName): { settings: Settings } | { own: readonly string[] } {
  let settings: Settings;
  try {
    settings = loadSettings();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    console.log(`heal-node acts as with HEAL_MODE=off: ${error.message}`);
    return { own: ownOf(undefined)[hook] };
  }
  return settings.mode === 'off' || isProxy(settings.appEnv) ? { own: ownOf(settings)[hook] } : { settings };
}
