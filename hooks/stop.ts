import { stop } from '../src/act/start-stop.ts';
import { realWorld } from '../src/observe/real-world.ts';
import { openLog } from '../src/report/log.ts';
import type { Settings } from '../src/settings/settings-table.ts';

/** AppCenter's stop. @returns the exit code of the app's stop */
export const run = (settings: Settings): Promise<number> =>
  stop(realWorld(settings), settings, openLog('stop'));
