import { realWorld } from '../observe/real-world.ts';
import { readableLine, tailOf } from '../report/read-log.ts';
import { loadSettings } from '../settings/load-settings.ts';
import { history } from '../state/heal-record.ts';
import { LOG_FILE } from '../state/places.ts';
import { type CommandSpec, EXIT, UsageError } from './command.ts';
import { printJson } from './look.ts';

export const historyCommand: CommandSpec = {
  name: 'history',
  what: 'lists the heals of this node, each with its steps and how long they took',
  json: 'heal-node.history/1',
  run: async ({ json }) => {
    const { machine, places } = realWorld(loadSettings());
    const heals = await history(machine, places);
    if (json) {
      printJson({
        schema: 'heal-node.history/1',
        heals: heals.map(({ schema: _, servedBefore: __, ...entry }) => entry),
      });
      return EXIT.done;
    }
    if (heals.length === 0) console.log('No heal has been done here.');
    for (const heal of heals) {
      console.log(`${heal.id} ${heal.outcome} (${heal.reason}, asked for by ${heal.by}): ${heal.message}`);
      for (const { id, durationMs, did } of heal.steps)
        console.log(`  ${id}: ${durationMs ?? '?'} ms, ${did ?? 'cut off'}`);
    }
    return EXIT.done;
  },
};

const DEFAULT_LINES = 50;

export const logsCommand: CommandSpec = {
  name: 'logs',
  what: `shows the end of ${LOG_FILE}, readable`,
  options: [['--lines <count>', `how many lines, ${DEFAULT_LINES} unless told`]],
  json: 'the JSON lines as they are',
  run: async ({ json, lines = String(DEFAULT_LINES) }) => {
    if (!/^[1-9]\d{0,5}$/.test(String(lines)))
      throw new UsageError(`--lines ${lines} is not allowed; allowed is a whole number from 1 to 999999`);
    for (const line of tailOf(LOG_FILE, 0)().slice(-Number(lines)))
      console.log(json ? line : readableLine(line));
    return EXIT.done;
  },
};
