import { healthAction } from '../src/act/health-action.ts';
import { realWorld } from '../src/observe/real-world.ts';
import { openLog } from '../src/report/log.ts';
import type { Settings } from '../src/settings/settings-table.ts';

/** AppCenter's health action. @returns 0 acted or under way, 1 failed, 3 refused */
export async function run(settings: Settings): Promise<number> {
  const { code, message } = await healthAction(realWorld(settings), settings, openLog('health-action'));
  console.log(message);
  return code;
}
