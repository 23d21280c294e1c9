import { realWorld } from '../observe/real-world.ts';
import { plainText } from '../report/plain-text.ts';
import { loadSettings } from '../settings/load-settings.ts';
import { history } from '../state/heal-record.ts';
import { retell, tell } from '../words/retell.ts';
import { type CommandSpec, EXIT } from './command.ts';
import { printJson } from './look.ts';

export const historyCommand: CommandSpec = {
  name: 'history',
  run: async ({ json }) => {
    const { machine, places } = realWorld(loadSettings());
    const heals = await history(machine, places);
    if (json) {
      const entries = heals.map(({ schema: _, servedBefore: __, ...entry }) => entry);
      printJson({ schema: 'heal-node.history/1', heals: entries });
      return EXIT.done;
    }
    if (heals.length === 0) console.log(tell('No heal has been done here.'));
    for (const { id, outcome, reason, by, message, steps } of heals) {
      console.log(retell(plainText(`${id} ${outcome} (${reason}, asked for by ${by}): ${message}`)));
      for (const { id, durationMs, did } of steps)
        console.log(retell(plainText(`  ${id}: ${durationMs ?? '?'} ms, ${did ?? 'cut off'}`)));
    }
    return EXIT.done;
  },
};
