import { parseEnvFile } from '../machine/systemd/env-file.ts';
import { type SettingRow, type Settings, settingsTable } from './settings-table.ts';

export const SETTINGS_FILE = '/opt/app/conf/heal-node.env';

/** A setting that cannot be used. The message names the place, the key, the value and what is allowed. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

const refused = (where: string | undefined, key: string, text: string, why: string): SettingsError =>
  new SettingsError(`${where}: ${key}=${/_USER$|PASS/.test(key) ? '…' : text} is not ${why}.`);

const rows = Object.entries(settingsTable) as [keyof Settings, SettingRow<unknown>][];
const knownKeys = new Set<string>();
for (const [, { key }] of rows) knownKeys.add(key);

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What is set, by key, as text with where it stands: the file, or the environment, which wins.
 * @throws SettingsError for an unknown `HEAL_` key
 */
export function givenSettings(fileText: string | undefined, environment: Environment) {
  const given = new Map<string, { readonly where: string; readonly text: string }>();
  const take = (where: string, values: Environment): void => {
    for (const key of Object.keys(values)) {
      if (!key.startsWith('HEAL_')) continue;
      const text = values[key] ?? '';
      if (!knownKeys.has(key))
        throw refused(where, key, text, `a setting of heal-node; allowed are ${[...knownKeys].join(', ')}`);
      given.set(key, { where, text });
    }
  };
  take(SETTINGS_FILE, parseEnvFile(fileText ?? ''));
  take('the environment', environment);
  return given;
}

/**
 * Settings from a file's text and an environment; the environment wins.
 * @throws SettingsError for an unknown `HEAL_` key or a value that is not allowed.
 */
export function parseSettings(fileText: string | undefined, environment: Environment): Settings {
  const given = givenSettings(fileText, environment);
  const settings: Partial<Record<keyof Settings, unknown>> = {};
  for (const [name, row] of rows) {
    const { where, text } = given.get(row.key) ?? {};
    if (text === undefined) {
      // Parsed when it is asked for: the healthy check asks for five, and to parse all takes it 0.2 ms longer.
      Object.defineProperty(settings, name, { enumerable: true, get: () => row.parse(row.fallback) });
      continue;
    }
    settings[name] = row.parse(text);
    if (settings[name] === undefined)
      throw refused(where, row.key, text, `allowed; allowed is ${row.allowed}`);
  }
  return settings as Settings;
}

/** What can be used of a file that cannot be used as a whole; the rest is as where nothing is set. */
export function usableSettings(fileText = ''): Settings {
  const given = parseEnvFile(fileText);
  const isUsable = ({ key, parse }: SettingRow<unknown>) => parse(given[key] ?? '') !== undefined;
  const usable = rows.filter(([, row]) => row.key in given && isUsable(row)).map(([, { key }]) => key);
  return parseSettings(undefined, Object.fromEntries(usable.map((key) => [key, given[key]])));
}
