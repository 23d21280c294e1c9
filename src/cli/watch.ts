import { healRuns } from '../act/ask-for-heal.ts';
import { codeOf } from '../act/health-action.ts';
import { realWorld } from '../observe/real-world.ts';
import { parseLines, readableLine, tailOf } from '../report/read-log.ts';
import { loadSettings } from '../settings/load-settings.ts';
import { healRecordFile } from '../state/heal-record.ts';
import type { Outcome } from '../state/outcome.ts';
import { LOG_FILE } from '../state/places.ts';
import { tell } from '../words/retell.ts';
import { EXIT } from './command.ts';
import { FOLLOW_MS } from './logs-command.ts';

/**
 * Follows the heal of this node from its beginning to its end: what it does, and while data arrive how many, how fast and
 * what is left, as the service logs it. Plain lines, as they come; on a terminal one for each step, drawn again.
 * @returns how the heal ended, as an exit code; 1 when its service has ended without saying so
 */
export async function watch(): Promise<number> {
  const { machine, places } = realWorld(loadSettings());
  const record = await healRecordFile.read(machine, places.journal);
  const since = record?.startedAt ?? new Date(machine.now()).toISOString();
  const tail = tailOf(LOG_FILE, 0);
  const rows = new Map<string, string>();
  const { isTTY, columns } = process.stdout;
  /** The run that has logged last, and how it has ended. */
  let [run, ended]: [unknown, number | undefined] = [undefined, undefined];
  for (;;) {
    const runs = await healRuns(machine);
    const drawn = rows.size;
    for (const line of parseLines(tail())) {
      const { caller, time, event, step, level, pid } = line;
      if (caller !== 'heal-node.service' || time < since || event === 'guards' || level === 'debug') continue;
      if (pid !== run) [run, ended] = [pid, undefined];
      rows.set(step || event, readableLine(line, isTTY ? columns - 1 : undefined));
      if (!isTTY) console.log(readableLine(line));
      if (event in codeOf) ended = codeOf[event as Outcome['outcome']];
    }
    if (isTTY && rows.size > 0)
      process.stdout.write(`${drawn > 0 ? `\x1b[${drawn}A` : ''}\x1b[J${[...rows.values()].join('\n')}\n`);
    if (!runs) {
      if (ended !== undefined) return ended;
      const stopped = record && tell('Heal {0} stopped; `heal-node resume` takes it up.', record.id);
      console.log(stopped ?? tell('No heal is under way; see `heal-node status`.'));
      return record ? EXIT.failed : EXIT.done;
    }
    await machine.sleep(FOLLOW_MS);
  }
}
