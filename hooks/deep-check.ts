import { deepCheck } from '../src/act/deep-check.ts';
import { realWorld } from '../src/observe/real-world.ts';
import { openLog } from '../src/report/log.ts';
import type { Settings } from '../src/settings/settings-table.ts';

/** The deeper half of the health check, within `limitMs`. @returns 0 healthy, 1 not, with one line why */
export async function runDeepCheck(settings: Settings, limitMs: number): Promise<number> {
  const { code, message } = await deepCheck(realWorld(settings), settings, openLog('health-check'), limitMs);
  if (code !== 0) console.log(`Not healthy: ${message}`);
  return code;
}
