import type { HookReader } from '../src/appcenter/own-command.ts';
import { whyUntrusted } from '../src/machine/os/trust.ts';
import { parseSettings, SETTINGS_FILE, SettingsError } from '../src/settings/parse-settings.ts';

const text = (path: string): Promise<string | undefined> =>
  Bun.file(path)
    .text()
    .catch(() => undefined);

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
  settings: async () => {
    const [file, stat] = await Promise.all([
      text(SETTINGS_FILE),
      Bun.file(SETTINGS_FILE)
        .stat()
        .catch(() => undefined),
    ]);
    const why = stat && whyUntrusted(SETTINGS_FILE, stat.uid, stat.mode);
    if (why !== undefined) throw new SettingsError(why);
    return parseSettings(file, process.env);
  },
};
