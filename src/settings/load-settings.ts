import { parseEnvFile } from '../node/env-file.ts';
import { readTrusted } from '../node/read-trusted.ts';
import { type SettingRow, type Settings, settingsTable } from './settings-table.ts';

export const SETTINGS_FILE = '/opt/app/conf/heal-node.env';

/** A setting that cannot be used. The message names the place, the key, the value and what is allowed. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

const rows = Object.entries(settingsTable) as [keyof Settings, SettingRow<unknown>][];
const knownKeys = new Set<string>(rows.map(([, row]) => row.key));

/**
 * Settings from a file's text and an environment; the environment wins.
 * @throws SettingsError for an unknown `HEAL_` key or a value that is not allowed.
 */
export function parseSettings(
  fileText: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
  place = SETTINGS_FILE,
): Settings {
  const sources: [string, Readonly<Record<string, string | undefined>>][] = [
    ['the environment', environment],
    [place, fileText === undefined ? {} : parseEnvFile(fileText)],
  ];
  for (const [where, values] of sources) {
    const unknown = Object.keys(values).find((key) => key.startsWith('HEAL_') && !knownKeys.has(key));
    if (unknown !== undefined) {
      throw new SettingsError(
        `${where}: ${unknown}=${values[unknown]} is not a setting of heal-node; allowed are ${[...knownKeys].join(', ')}.`,
      );
    }
  }
  return Object.fromEntries(
    rows.map(([name, row]) => {
      const [where, text] = sources
        .map(([place_, values]) => [place_, values[row.key]] as const)
        .find(([, value]) => value !== undefined) ?? ['the default', row.fallback];
      const value = row.parse(text ?? '');
      if (value === undefined) {
        throw new SettingsError(`${where}: ${row.key}=${text} is not allowed; allowed is ${row.allowed}.`);
      }
      return [name, value];
    }),
  ) as unknown as Settings;
}

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
