import { restoreByHand } from '../act/restore-by-hand.ts';
import { realWorld } from '../observe/real-world.ts';
import { openLog } from '../report/log.ts';
import { loadSettings } from '../settings/load-settings.ts';
import { retell } from '../words/retell.ts';
import type { CommandSpec } from './command.ts';

export const restoreCommand: CommandSpec = {
  name: 'restore',
  run: async () => {
    const settings = loadSettings();
    const { code, message } = await restoreByHand(realWorld(settings), settings, openLog('restore'));
    console.log(retell(message));
    return code;
  },
};
