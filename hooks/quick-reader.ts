import type { HookReader } from '../src/appcenter/own-command.ts';
import { whyUntrusted } from '../src/machine/os/trust.ts';
import { parseSettings, SETTINGS_FILE, SettingsError } from '../src/settings/parse-settings.ts';
import { type Settings, settingsTable } from '../src/settings/settings-table.ts';
import { DEEP_CHECK_FILE } from '../src/state/places.ts';

const orUndefined = <T>(read: Promise<T>): Promise<T | undefined> => read.catch(() => undefined);
const text = (path: string) => orUndefined(Bun.file(path).text());
const stat = (path: string) => orUndefined(Bun.file(path).stat());

/** @throws SettingsError also for a file that is there and cannot be read, or that others than root can write */
export async function quickSettings(path = SETTINGS_FILE): Promise<Settings> {
  const [file, owned] = await Promise.all([text(path), stat(path)]);
  if (owned !== undefined) {
    const why = whyUntrusted(path, owned.uid, owned.mode);
    if (why !== undefined) throw new SettingsError(why);
    if (file === undefined) throw new SettingsError(`${path} cannot be read.`);
  }
  return parseSettings(file, process.env);
}

/**
 * Reading for the healthy check. Loading node:fs takes a sixth of the whole check; Bun's own files do without.
 * They follow a link, so it is the linked file that must be root's alone; what acts reads with readTrusted.
 * What the check reads where nothing is set otherwise is begun at once: another thread reads while this one parses.
 */
export function quickReader(): HookReader & { deepCheckedMs: Promise<number | undefined> } {
  const { appEnv, etcdEnv } = settingsTable;
  // The first is needed first.
  const begun = { [etcdEnv.fallback]: text(etcdEnv.fallback), [appEnv.fallback]: text(appEnv.fallback) };
  const settings = quickSettings();
  return {
    settings: () => settings,
    text: (path) => begun[path] ?? text(path),
    deepCheckedMs: stat(DEEP_CHECK_FILE).then((file) => file?.mtimeMs),
  };
}
