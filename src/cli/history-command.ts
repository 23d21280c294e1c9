import { realWorld } from '../observe/real-world.ts';
import { plainText } from '../report/plain-text.ts';
import { loadSettings } from '../settings/load-settings.ts';
import { history } from '../state/heal-record.ts';
import { type CommandSpec, EXIT } from './command.ts';
import { printJson } from './look.ts';

export const historyCommand: CommandSpec = {
  name: 'history',
  what: 'lists the heals of this node, each with its steps and how long they took',
  json: 'heal-node.history/1',
  run: async ({ json }) => {
    const { machine, places } = realWorld(loadSettings());
    const heals = await history(machine, places);
    if (json) {
      const entries = heals.map(({ schema: _, servedBefore: __, ...entry }) => entry);
      printJson({ schema: 'heal-node.history/1', heals: entries });
      return EXIT.done;
    }
    if (heals.length === 0) console.log('No heal has been done here.');
    for (const heal of heals) {
      console.log(
        plainText(`${heal.id} ${heal.outcome} (${heal.reason}, asked for by ${heal.by}): ${heal.message}`),
      );
      for (const { id, durationMs, did } of heal.steps)
        console.log(plainText(`  ${id}: ${durationMs ?? '?'} ms, ${did ?? 'cut off'}`));
    }
    return EXIT.done;
  },
};
