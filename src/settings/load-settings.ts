import { readTrusted } from '../machine/os/read-trusted.ts';
import { speak } from '../words/retell.ts';
import { parseSettings, SETTINGS_FILE, SettingsError } from './parse-settings.ts';
import type { Settings } from './settings-table.ts';

/**
 * The settings in force on this node, whose language is spoken from now on. A missing file means defaults.
 * @throws SettingsError also for a file that somebody other than root could have written: it names programs
 *   that run as root.
 */
export const loadSettings = (): Settings => speak(parseSettings(settingsText(), process.env));

/** The settings file's own text; undefined where there is none. @throws SettingsError as above */
export function settingsText(): string | undefined {
  try {
    return readTrusted(SETTINGS_FILE);
  } catch (error) {
    throw new SettingsError((error as Error).message);
  }
}
