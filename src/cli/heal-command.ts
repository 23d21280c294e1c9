import { healThrough } from '../act/ask-for-heal.ts';
import { runHealService } from '../act/heal-service.ts';
import { codeOf } from '../act/health-action.ts';
import { saysProxy } from '../appcenter/node-role.ts';
import { thisMachine } from '../machine/this-machine.ts';
import { realWorld } from '../observe/real-world.ts';
import { openLog } from '../report/log.ts';
import { parseLines, readableLine, tailOf } from '../report/read-log.ts';
import { loadSettings } from '../settings/load-settings.ts';
import { DAY_MS, healRecordFile } from '../state/heal-record.ts';
import { LOG_FILE } from '../state/places.ts';
import { retell, tell } from '../words/retell.ts';
import { type CommandSpec, EXIT, UsageError } from './command.ts';
import { look } from './look.ts';
import { showPlan } from './plan-command.ts';

/** Asks the service and shows its log lines as they come, until it ends. */
async function healInService(): Promise<number> {
  const tail = tailOf(LOG_FILE);
  const show = () => {
    for (const line of parseLines(tail())) // how it ended is said at the end
      if (line.level !== 'debug' && !(line.event in codeOf)) console.log(readableLine(line));
  };
  const ended = await healThrough(realWorld(loadSettings()), 'operator', () => DAY_MS, show);
  show();
  console.log(retell(ended?.message ?? 'The heal is still under way; see `heal-node status`.'));
  return ended ? codeOf[ended.outcome] : 0;
}

export const healCommand: CommandSpec = {
  name: 'heal',
  run: async ({ yes, dryRun }) => {
    if (yes && !dryRun) return healInService();
    if (!dryRun && !(process.stdin.isTTY && process.stdout.isTTY))
      throw new UsageError(
        'there is no terminal to ask on; --yes heals without asking, --dry-run shows what it would do',
      );
    const { mayBegin, code } = await showPlan();
    if (dryRun || !mayBegin) return code;
    if (confirm(tell('Heal this member now?'))) return healInService();
    console.log(tell('Nothing was done.'));
    return EXIT.failed;
  },
};

export const resumeCommand: CommandSpec = {
  name: 'resume',
  run: async ({ inService }) => {
    if (!inService) {
      const { situation, world } = await look();
      const unfinished = healRecordFile.read(world.machine, world.places.journal);
      if (situation.swapped || (await unfinished)) return healInService();
      console.log(tell('No heal or runbook is unfinished; `heal-node heal` heals a member that is stale.'));
      return EXIT.done;
    }
    const settings = loadSettings();
    const view = await thisMachine.readFile(settings.appEnv).catch(() => undefined);
    if (saysProxy(view?.text)) return EXIT.done; // A proxy has no member: nothing is looked at, nothing is written.
    const { outcome } = await runHealService(realWorld(settings), settings, openLog('heal-node.service'));
    return codeOf[outcome];
  },
};
