import { start } from '../src/act/start-stop.ts';
import { realWorld } from '../src/observe/real-world.ts';
import { openLog } from '../src/report/log.ts';
import type { Settings } from '../src/settings/settings-table.ts';

/** AppCenter's start. @returns the exit code of the app's start, 0 after a heal, 3 when starting must wait */
export const run = (settings: Settings): Promise<number> =>
  start(realWorld(settings), settings, openLog('start'));
