import { healthAction } from '../src/act/health-action.ts';
import { realWorld } from '../src/observe/real-world.ts';
import { openLog } from '../src/report/log.ts';
import type { Settings } from '../src/settings/settings-table.ts';

/** AppCenter's health action. @returns 0 acted or under way, 1 failed, 3 refused */
export async function run(settings: Settings): Promise<number> {
  const log = openLog('health-action');
  const { code, message } = await healthAction(realWorld(settings), settings, log).catch((error: Error) => {
    const why = `This node could not be looked at: ${error.message}; nothing is done, and the next health action looks again.`;
    log.error({ event: 'failed' }, why);
    return { code: 1, message: why };
  });
  console.log(message);
  return code;
}
