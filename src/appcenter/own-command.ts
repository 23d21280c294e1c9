import { parseSettings, SettingsError } from '../settings/parse-settings.ts';
import type { Settings } from '../settings/settings-table.ts';
import { APP_CTL } from './ctl.ts';
import { saysProxy } from './node-role.ts';

/** The names that AppCenter calls the hooks by. */
export const hookNames = ['health-check', 'health-action', 'start', 'stop'] as const;
export type HookName = (typeof hookNames)[number];

export const isHookName = (name: string): name is HookName => hookNames.some((hook) => hook === name);

const ownOf = (settings: Settings): Readonly<Record<HookName, readonly string[]>> => ({
  'health-check': [APP_CTL, 'check'],
  'health-action': settings.restartCmd,
  start: settings.startCmd,
  stop: settings.stopCmd,
});

/** How a hook reads: the check in its own, quick way (hooks/quick-reader.ts), the others with loadSettings. */
export interface HookReader {
  /** @throws SettingsError */
  settings(): Settings | Promise<Settings>;
  /** A text, or undefined when it cannot be read. */
  text(path: string): Promise<string | undefined>;
}

/**
 * The settings that a hook goes by, or the app's own command that it must run instead: on a proxy, with
 * `HEAL_MODE=off`, and with settings that cannot be used, because a typo must not take the health check down.
 */
export async function settingsOrOwn(
  hook: HookName,
  reader: HookReader,
  say: (text: string) => void | Promise<void>,
): Promise<{ settings: Settings } | { own: readonly string[] }> {
  let settings: Settings;
  try {
    settings = await reader.settings();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    await say(`heal-node acts as with HEAL_MODE=off: ${error.message}`);
    return { own: ownOf(parseSettings('', {}))[hook] };
  }
  const own = settings.mode === 'off' || saysProxy(await reader.text(settings.appEnv));
  return own ? { own: ownOf(settings)[hook] } : { settings };
}
