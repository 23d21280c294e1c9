import type { HookReader } from '../src/appcenter/own-command.ts';
import { whyUntrusted } from '../src/machine/os/trust.ts';
import { parseSettings, SETTINGS_FILE, SettingsError } from '../src/settings/parse-settings.ts';
import type { Settings } from '../src/settings/settings-table.ts';

const text = (path: string): Promise<string | undefined> =>
  Bun.file(path)
    .text()
    .catch(() => undefined);

/** @throws SettingsError also for a file that is there and cannot be read, or that others than root can write */
export async function quickSettings(path = SETTINGS_FILE): Promise<Settings> {
  const [file, stat] = await Promise.all([
    text(path),
    Bun.file(path)
      .stat()
      .catch(() => undefined),
  ]);
  if (stat !== undefined) {
    const why = whyUntrusted(path, stat.uid, stat.mode);
    if (why !== undefined) throw new SettingsError(why);
    if (file === undefined) throw new SettingsError(`${path} cannot be read.`);
  }
  return parseSettings(file, process.env);
}

/**
 * Reading for the healthy check. Loading node:fs takes a sixth of the whole check; Bun's own files do without.
 * They follow a link, so it is the linked file that must be root's alone; what acts reads with readTrusted.
 */
export const quickReader: HookReader & { changedMs(path: string): Promise<number | undefined> } = {
  text,
  changedMs: (path) =>
    Bun.file(path)
      .stat()
      .then(
        ({ mtimeMs }) => mtimeMs,
        () => undefined,
      ),
  settings: () => quickSettings(),
};
