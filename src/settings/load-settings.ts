import { attempt } from '../machine/attempt.ts';
import { readTrusted } from '../machine/os/read-trusted.ts';
import { parseEnvFile } from '../machine/systemd/env-file.ts';
import { speak } from '../words/retell.ts';
import { parseSettings, SETTINGS_FILE, SettingsError } from './parse-settings.ts';
import { type Settings, settingsTable } from './settings-table.ts';

/**
 * The settings in force on this node, whose language is spoken from now on. A missing file means defaults.
 * @throws SettingsError also for a file that somebody other than root could have written: it names programs
 *   that run as root.
 */
export function loadSettings(): Settings {
  const { HEAL_LANG = '' } = { ...parseEnvFile(attempt(settingsText) ?? ''), ...process.env };
  // What cannot be used is said in the language that is set, if that can be.
  speak({ language: settingsTable.language.parse(HEAL_LANG) ?? 'auto' });
  return speak(parseSettings(settingsText(), process.env));
}

/** The settings file's own text; undefined where there is none. @throws SettingsError as above */
export function settingsText(): string | undefined {
  try {
    return readTrusted(SETTINGS_FILE);
  } catch (error) {
    throw new SettingsError((error as Error).message);
  }
}
