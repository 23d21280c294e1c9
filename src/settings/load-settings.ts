import { readTrusted } from '../machine/os/read-trusted.ts';
import { parseSettings, SETTINGS_FILE, SettingsError } from './parse-settings.ts';
import type { Settings } from './settings-table.ts';

/**
 * The settings in force on this node. A missing file means defaults.
 * @throws SettingsError also for a file that somebody other than root could have written: it names programs
 *   that run as root.
 */
export function loadSettings(): Settings {
  let text: string | undefined;
  try {
    text = readTrusted(SETTINGS_FILE);
  } catch (error) {
    throw new SettingsError((error as Error).message);
  }
  return parseSettings(text, process.env);
}
